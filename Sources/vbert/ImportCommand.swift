import ArgumentParser
import Foundation
import Manager
import Model

struct ImportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import", abstract: "Make a vBERT of a directory that vbert export wrote.")

  @OptionGroup var options: GlobalOptions
  @Argument(help: "The directory.") var directory: String
  @Option(help: "A name (default: the one that it was exported under).") var name: String?
  @Option(help: "Whose it is.") var tenant: String = TenantRecord.defaultName

  func run() throws {
    let store = try options.openStore()
    let bases = BaseChoice(store.registry)
    let made = try store.importDirectory(
      URL(filePath: directory, directoryHint: .isDirectory), name: name, tenant: tenant,
      baseShape: { try bases.base(of: $0).configuration })
    if options.json {
      try Output.json(try VBertRow(made, in: store.registry))
    } else {
      print("\(made.name): \(made.spec.task.rawValue) on base \(made.spec.base)")
    }
  }
}
