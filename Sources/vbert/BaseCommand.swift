import ArgumentParser
import Foundation
import Manager

struct BaseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "base", abstract: "The shared encoders.",
    subcommands: [
      BaseImportCommand.self, BaseListCommand.self, BaseSkipCommand.self, BaseRemoveCommand.self,
    ])
}

extension GlobalOptions {
  func openBases() -> BaseStore { BaseStore(home: Home(option: home)) }
}

struct BaseListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "The bases, in the order of their names.")

  @OptionGroup var options: GlobalOptions

  func run() throws {
    let records = options.openBases().list()
    if options.json {
      try Output.json(records)
    } else {
      Output.table(
        ["NAME", "KIND", "HASH", "SOURCE", "CREATED"],
        records.map {
          [
            $0.name, $0.label, String($0.contentHash.prefix(12)), $0.source,
            $0.created.formatted(.iso8601),
          ]
        })
    }
  }
}

struct BaseRemoveCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove a base that no vBERT stands on.")

  @OptionGroup var options: GlobalOptions
  @Argument(help: "Its name.") var name: String

  func run() throws {
    let registry = try options.openRegistry()
    let bases = options.openBases()
    _ = try bases.record(name)
    if let user = try registry.firstVBert(onBase: name) {
      throw BaseError.inUse(name: name, vbert: user)
    }
    try bases.remove(name)
    if options.json { try Output.json(["removed": name]) }
  }
}
