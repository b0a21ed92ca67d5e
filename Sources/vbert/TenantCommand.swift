import ArgumentParser
import Foundation
import Manager
import Model

struct TenantCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "tenant", abstract: "Accounts: who owns vBERTs, and with which key.",
    subcommands: [
      Create.self, List.self, Delete.self, Give.self, TenantKeyCommand.self,
      TenantQuotaCommand.self,
      Access.self,
    ])
}

extension TenantCommand {
  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a tenant and print its key, which is shown only this once.",
      discussion: "The first key closes an open home: from then on every request needs one.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Its name.", transform: { try Name($0) }) var name: Name
    @Option(help: "Its share in the fair queue, relative to the others'.") var weight = 1.0

    func validate() throws {
      do { _ = try VirtualProcessor(weight: weight) } catch { throw ValidationError("\(error)") }
    }

    func run() async throws {
      let processor = try VirtualProcessor(weight: weight)
      let registry = try options.openRegistry()
      let wasOpen = try await !registry.isClosed()
      let key = try await registry.createTenant(name, processor: processor)
      if wasOpen {
        ProgressLine.warn(
          "this home is closed from now on: every request needs a key, and tenant \(TenantRecord.defaultName) has "
            + "none. For its vBERTs: vbert tenant key add \(TenantRecord.defaultName) LABEL, or vbert tenant give "
            + "NAME --to \(name)")
      }
      do {
        if options.json {
          try Output.json(["tenant": name.text, "key": key])
        } else {
          try Output.say(key)
        }
      } catch {
        throw UnseenKey(
          "tenant \(name) is there; make it one with vbert tenant key rotate \(name) \(Name.first)")
      }
    }
  }

  /// Open or closed is a setting of the home, not a count of keys.
  struct Access: AsyncParsableCommand {
    enum Kind: String, ExpressibleByArgument, CaseIterable { case open, closed }

    static let configuration = CommandConfiguration(
      abstract: "Say, or set, whether requests need a key.",
      discussion: """
        A home is open until its first key, and closed from then on, also when the key is gone. To let
        everybody ask again, as tenant default:
          vbert tenant access open
        """)

    @OptionGroup var options: GlobalOptions
    @Argument(help: "open or closed (default: only say which).") var kind: Kind?

    func run() async throws {
      let registry = try options.openRegistry()
      if let kind { try await registry.set(isClosed: kind == .closed) }
      let now: Kind = try await registry.isClosed() ? .closed : .open
      if options.json { try Output.json(["access": now.rawValue]) } else { print(now.rawValue) }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "All tenants.")

    @OptionGroup var options: GlobalOptions

    func run() async throws {
      let tenants = try await options.openRegistry().listTenants()
      if options.json {
        try Output.json(tenants.map(Row.init))
      } else {
        Output.table(
          ["NAME", "WEIGHT", "KEYS"],
          tenants.map { [$0.name.text, "\($0.processor.weight)", "\($0.keys)"] })
      }
    }

    private struct Row: Encodable {
      let name: String
      let weight: Double
      let keys: Int
      let created: Date

      init(_ tenant: TenantRecord) {
        (name, weight) = (tenant.name.text, tenant.processor.weight)
        (keys, created) = (tenant.keys, tenant.created)
      }
    }
  }

  struct Give: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Make a vBERT another tenant's, with all its versions.",
      discussion: "  vbert tenant give mood --to acme\n  vbert tenant give acme/mood --to default")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "The vBERT: NAME, or TENANT/NAME.", transform: { try VBertName($0) })
    var vbert: VBertName
    @Option(help: "The tenant.", transform: { try Name($0) }) var to: Name

    func run() async throws {
      try await options.openRegistry().give(vbert, to: to)
      let name = VBertName(vbert.name, of: to)
      if options.json { try Output.json(["name": name.text]) } else { print("it is \(name) now") }
    }
  }

  struct Delete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove a tenant; its keys are worth nothing from then on.")

    @OptionGroup var options: GlobalOptions
    @Argument(help: "Its name.", transform: { try Name($0) }) var name: Name
    @Flag(help: "Delete all its vBERTs, too.") var withVberts = false

    func run() async throws {
      try await options.openRegistry().deleteTenant(name, vberts: withVberts)
      if options.json { try Output.json(["deleted": name.text]) }
    }
  }
}
