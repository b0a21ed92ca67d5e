import ArgumentParser
import Compute
import ComputeCPU
import Foundation
import Manager
import Model

/// `vbert plot`: the tables from which the lower layers are read instead of computed.
struct PLOTCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "plot", abstract: "Tables of n-gram rows: what the lower layers would compute.",
    subcommands: [
      PLOTBuildCommand.self, PLOTStatsCommand.self, PLOTVerifyCommand.self,
      PLOTNGramsCommand.self, PLOTBenchCommand.self,
    ])
}

extension PLOTRowType: ExpressibleByArgument {
  package init?(argument: String) { try? self.init(parsing: argument) }
  package var defaultValueDescription: String { name }
  package static var allValueStrings: [String] { allCases.map(\.name) }
  package static var allValueDescriptions: [String: String] { [:] }
}

/// The base that every `plot` verb is about.
struct PLOTOptions: ParsableArguments {
  @OptionGroup var global: GlobalOptions
  @Option(help: "The skip base's name.") var base: String
  @Option(help: "A domain's table instead of the general one.") var domain: String?

  /// Throws `BaseError`, and for a base that computes all its layers a `PLOTUsageError`. `extent` is
  /// what is verified: all for verbs that compute rows.
  func openBase(_ extent: BaseStore.Extent = .all) throws -> Base {
    let base = try BaseStore(home: Home(option: global.home)).load(base, extent)
    guard base.configuration.isSkip else { throw PLOTUsageError.dense(base.name) }
    if let domain { try PLOTDomain.check(name: domain) }
    return base
  }

  func file(of base: Base) -> URL {
    PLOTStore.file(in: base.plotDirectory, domain: domain)
  }
}

enum PLOTUsageError: Error, CustomStringConvertible {
  case dense(String)
  case busy(String)
  case bad(path: String)
  case none(base: String, domain: String?)

  var description: String {
    switch self {
    case .dense(let name):
      """
      \(name) computes all its layers, so it needs no table; make a skip base of it with \
      vbert base skip --base \(name) --skip 2
      """
    case .busy(let name): "another build of a table of \(name) is running; wait for it to end"
    case .none(let base, let domain):
      "\(base) has no \(domain.map { "table of the domain \"\($0)\"" } ?? "general table") yet; make it with "
        + "vbert plot build --base \(base)\(domain.map { " --domain \($0)" } ?? "") --corpus FILE"
    case .bad(let path): "\(path) is damaged or stale; build it again with vbert plot build"
    }
  }
}
