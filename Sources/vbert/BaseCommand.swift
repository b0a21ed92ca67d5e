import ArgumentParser
import Foundation
import Manager
import Model

struct BaseCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "base", abstract: "The shared encoders.",
    subcommands: [
      BaseImportCommand.self, BaseListCommand.self, BaseVerifyCommand.self, BaseSkipCommand.self,
      BaseRemoveCommand.self,
    ])
}

extension GlobalOptions {
  func openBases() -> BaseStore { BaseStore(home: Home(option: home)) }
}

struct BaseListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list", abstract: "The bases, in the order of their names.")

  @OptionGroup var options: GlobalOptions

  /// A record, or of a damaged base.json its name and why.
  private struct Row: Encodable {
    let entry: BaseStore.Entry

    enum Key: CodingKey { case name, error }

    func encode(to encoder: any Encoder) throws {
      switch entry.record {
      case .success(let record): try record.encode(to: encoder)
      case .failure(let error):
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(entry.name, forKey: .name)
        try container.encode(error.description, forKey: .error)
      }
    }
  }

  func run() throws {
    let entries = try options.openBases().list()
    if options.json { return try Output.json(entries.map(Row.init)) }
    Output.table(
      ["NAME", "KIND", "HASH", "MB", "SOURCE", "CREATED"],
      entries.map { entry in
        switch entry.record {
        case .success(let record):
          [
            record.name, record.label, String(record.contentHash.prefix(12)),
            record.files.map { megabytes($0) } ?? "-", record.source,
            record.created.formatted(.iso8601),
          ]
        case .failure(let error):
          [entry.name, "DAMAGED", "-", "-", error.description, "-"]
        }
      })
  }

  private func megabytes(_ files: [BaseFile]) -> String {
    String(format: "%.1f", files.reduce(0) { $0 + Double($1.bytes) } / 1e6)
  }
}

struct BaseRemoveCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remove", abstract: "Remove a base that no vBERT stands on.")

  @OptionGroup var options: GlobalOptions
  @Argument(help: "Its name.") var name: String

  func run() async throws {
    let registry = try options.openRegistry()
    let bases = options.openBases()
    try bases.require(name)
    if let user = try await registry.firstVBert(onBase: name) {
      throw BaseError.inUse(name: name, vbert: user.text)
    }
    try bases.remove(name)
    if options.json { try Output.json(["removed": name]) }
  }
}
