import ArgumentParser
import Manager
import Model

struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "The vBERTs, by tenant and name.")

  @OptionGroup var options: GlobalOptions
  @Argument(help: "Only names that start with this.") var prefix = ""
  @Option(help: "Only this tenant's.", transform: { try Name($0) }) var tenant: Name?
  @Option(help: "At most so many.") var limit = 1000
  @Option(
    help: "Only those after this one: the last of the page before.",
    transform: { try VBertName($0) })
  var after: VBertName?

  func validate() throws {
    guard limit >= 1 else { throw ValidationError("--limit must be 1 or more") }
  }

  func run() async throws {
    let registry = try options.openRegistry()
    // One that is misspelt has none, and that is an error.
    if let tenant { _ = try await registry.tenant(named: tenant) }
    let rows = try await registry.list(prefix: prefix, tenant: tenant, after: after, limit: limit)
      .map(VBertRow.init)
    if options.json {
      try Output.json(rows)
    } else {
      Output.table(VBertRow.titles, rows.map(\.cells))
    }
  }
}

struct DeleteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "delete", abstract: "Remove a vBERT with all its versions.")

  @OptionGroup var options: GlobalOptions
  @Argument(help: "Its name.", transform: { try VBertName($0) }) var name: VBertName

  func run() async throws {
    try await options.openStore().delete(vbert: name)
    if options.json { try Output.json(["deleted": name.text]) }
  }
}
