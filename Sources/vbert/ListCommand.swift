import ArgumentParser
import Manager
import Model

struct ListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "The vBERTs, in the order of their names.")

  @OptionGroup var options: GlobalOptions
  @Argument(help: "Only names that start with this.") var prefix = ""
  @Option(help: "Only this tenant's.", transform: { try Name($0) }) var tenant: Name?
  @Option(help: "At most so many.") var limit = 1000
  @Option(
    help: "Only names after this one: the last of the page before.", transform: { try Name($0) })
  var after: Name?

  func validate() throws {
    guard limit >= 1 else { throw ValidationError("--limit must be 1 or more") }
  }

  func run() async throws {
    let registry = try options.openRegistry()
    var owner: Int64?
    if let tenant { owner = try await registry.tenant(named: tenant).id }
    let found = try await registry.list(prefix: prefix, tenant: owner, after: after, limit: limit)
    var rows: [VBertRow] = []
    for vbert in found { rows.append(try await VBertRow(vbert, in: registry)) }
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
  @Argument(help: "Its name.", transform: { try Name($0) }) var name: Name

  func run() async throws {
    try await options.openStore().delete(vbert: name)
    if options.json { try Output.json(["deleted": name.text]) }
  }
}
