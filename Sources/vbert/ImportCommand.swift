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
    help: "A name, or TENANT/NAME (default: the one that it was exported under).",
    transform: { try VBertName($0) })
  var name: VBertName?
  @Option(help: "Whose it is (default: default).", transform: { try Name($0) }) var tenant: Name?

  @Option(
    help: "Publish it as this vBERT's next version, instead of making a new one.",
    transform: { try VBertName($0) })
  var into: VBertName?

  func validate() throws {
    guard into == nil || name == nil else {
      throw ValidationError("give --into or --name, not both")
    }
    guard into == nil || tenant == nil else {
      throw ValidationError("--into says whose it is: leave --tenant out")
    }
    _ = try name?.owned(by: tenant)
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
      URL(filePath: directory, directoryHint: .isDirectory), name: name?.owned(by: tenant),
      tenant: tenant ?? .default,
      baseShape: { try bases.base(of: $0).configuration })
    if options.json {
      try Output.json(VBertRow(made))
    } else {
      print("\(made.name): \(made.spec.task.rawValue) on base \(made.spec.base)")
    }
  }
}
