import ArgumentParser
import Foundation
import Manager
import Model

struct TenantKeyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "key", abstract: "A tenant's keys: what each may do, and how long.",
    discussion: """
      A key is shown once, when it is made; only its SHA-256 is kept.
        vbert tenant key add acme web --scope predict --expires 90d
        vbert tenant key rotate acme web --keep 1h
        vbert tenant key add default ops --scope admin
        vbert tenant key add acme chat --scope predict --vbert faq
      """,
    subcommands: [Add.self, List.self, Revoke.self, Rotate.self])
}

extension Scopes: ExpressibleByArgument {
  /// Of the command line.
  public init?(argument: String) { try? self.init(argument) }
}

extension TenantKeyCommand {
  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a key and print it; the first key of all closes an open home.",
      aliases: ["create"])

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Whose it is.", transform: { try Name($0) }) var tenant: Name
    @Argument(help: "What it is called, unique among the tenant's.", transform: { try Name($0) })
    var label: Name
    @Option(
      help: """
        What it may do, with commas between: predict (ask vBERTs), train (files and jobs), manage (vBERTs and \
        keys), admin (all of it, over all tenants).
        """)
    var scope: Scopes = .standard
    @Option(
      help:
        "How long it is worth something: 30m, 12h, 90d, or a date like 2027-06-30 (default: for ever).",
      transform: { try Term($0) })
    var expires: Term?
    @Option(
      help: """
        The tenant's vBERT that answers where a request names none: for clients that cannot; of an admin's key also \
        TENANT/NAME.
        """)
    var vbert: String?

    func validate() throws {
      if let expires, expires.end(from: .now) <= .now {
        throw ValidationError("--expires is over already: the key would be worth nothing")
      }
    }

    func run() async throws {
      let registry = try options.openRegistry()
      let new = try await registry.createKey(
        label, tenant: tenant, scopes: scope, expires: expires?.end(from: .now),
        vbert: vbert.map { try VBertName($0, of: tenant) })
      do { try KeyRow.show(new, json: options.json) } catch {
        // Nobody has seen it, and nobody will.
        try await registry.revokeKey(label, tenant: tenant)
        throw UnseenKey("it was revoked; try again")
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "All keys, or a tenant's; never the secrets.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Only this tenant's.", transform: { try Name($0) }) var tenant: Name?

    func run() async throws {
      let registry = try options.openRegistry()
      // One that is misspelt has none, and that is an error.
      if let tenant { _ = try await registry.tenant(named: tenant) }
      let rows = try await registry.keys(of: tenant).map { KeyRow($0) }
      if options.json {
        try Output.json(rows)
      } else {
        Output.table(KeyRow.titles, rows.map(\.cells))
      }
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a key worth nothing, at once; a closed home stays closed.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Whose it is.", transform: { try Name($0) }) var tenant: Name
    @Argument(help: "What it is called.", transform: { try Name($0) }) var label: Name

    func run() async throws {
      try await options.openRegistry().revokeKey(label, tenant: tenant)
      if options.json { try Output.json(["revoked": label.text]) }
    }
  }

  struct Rotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print a new key in the place of one, which stays worth something for a while.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Whose it is.", transform: { try Name($0) }) var tenant: Name
    @Argument(help: "What it is called; the old one becomes LABEL.n.", transform: { try Name($0) })
    var label: Name
    @Option(
      help: "How long the old one is still worth something: 0s, 10m, 1h, 7d.",
      transform: { try Term($0) })
    var keep: Term = .hour

    func run() async throws {
      let new = try await options.openRegistry().rotateKey(
        label, tenant: tenant, oldUntil: keep.end(from: .now))
      do { try KeyRow.show(new, json: options.json) } catch {
        throw UnseenKey(
          "the old one is worth something until \(keep.end(from: .now).formatted(.iso8601)): rotate once more"
        )
      }
    }
  }
}

/// A key was made, and could not be printed.
struct UnseenKey: Error, CustomStringConvertible {
  let description: String
  init(_ advice: String) { description = "the new key could not be printed: \(advice)" }
}

/// A key as the verbs print it.
private struct KeyRow: Encodable {
  let tenant: String
  let label: String
  /// The secret, of a new one alone.
  let key: String?
  let scopes: [String]
  /// Whom it asks where a request names nobody.
  let vbert: String?
  let created: Date
  let expires: Date?
  let used: Date?

  init(_ record: KeyRecord, key: String? = nil) {
    (tenant, label, scopes) = (record.tenant.text, record.label.text, record.scopes.names)
    (created, expires, used) = (record.created, record.expires, record.used)
    vbert = record.vbert?.text(for: record.tenant)
    self.key = key
  }

  static let titles: [String] = [
    "TENANT", "LABEL", "SCOPES", "VBERT", "CREATED", "EXPIRES", "LAST USE",
  ]

  var cells: [String] {
    func text(_ date: Date?, _ none: String) -> String { date?.formatted(.iso8601) ?? none }
    let isOver = expires.map { $0 <= .now } ?? false
    return [
      tenant, label, scopes.joined(separator: ","), vbert ?? "", text(created, ""),
      text(expires, "never") + (isOver ? " (expired)" : ""), text(used, "never"),
    ]
  }

  static func show(_ new: NewKey, json: Bool) throws {
    if json { return try Output.json(KeyRow(new.record, key: new.secret)) }
    try Output.say(new.secret)
  }
}
