import ArgumentParser
import Foundation
import Manager
import Model

struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Make a vBERT of a directory that vbert export wrote.")

  @OptionGroup var options: GlobalOptions
  @Argument(help: "The directory.") var directory: String
  @Option(
    help: "A name (default: the one that it was exported under).", transform: { try Name($0) })
  var name: Name?
  @Option(help: "Whose it is.", transform: { try Name($0) }) var tenant: Name = TenantRecord
    .defaultName

  @Option(
    help: "Publish it as this vBERT's next version, instead of making a new one.",
    transform: { try Name($0) })
  var into: Name?

  func validate() throws {
    guard into == nil || name == nil else {
      throw ValidationError("give --into or --name, not both")
    }
  }

  func run() async throws {
    let store = try options.openStore()
    let bases = BaseChoice(home: store.home, store.registry)
    if let into {
      let version = try await store.importDirectory(
        URL(filePath: directory, directoryHint: .isDirectory), into: into, patience: .onTerminal,
        baseShape: { try bases.base(of: $0).configuration })
      if options.json { return try Output.json(VersionRow(version, current: true)) }
      return print("\(into) answers with version \(version.id.number) now")
    }
    let made = try await store.importDirectory(
      URL(filePath: directory, directoryHint: .isDirectory), name: name, tenant: tenant,
      baseShape: { try bases.base(of: $0).configuration })
    if options.json {
      try Output.json(try await VBertRow(made, in: store.registry))
    } else {
      print("\(made.name): \(made.spec.task.rawValue) on base \(made.spec.base)")
    }
  }
}
