import ArgumentParser
import Files
import Foundation
import Manager
import Model

struct VersionsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "versions", abstract: "What was published of a vBERT; * marks what answers now.")

  @OptionGroup var options: GlobalOptions
  @Argument(help: "Its name.", transform: { try VBertName($0) }) var name: VBertName

  func run() async throws {
    let registry = try options.openRegistry()
    let current = try await registry.vbert(name).version
    let rows = try await registry.versions(of: name).map {
      VersionRow($0, current: $0.id == current)
    }
    if options.json {
      try Output.json(rows)
    } else {
      Output.table(VersionRow.titles, rows.map(\.cells))
    }
  }
}

struct RollbackCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rollback",
    abstract: "Let an older version answer (or a newer one again); no version is lost.")

  @OptionGroup var options: GlobalOptions
  @Argument(help: "Its name.", transform: { try VBertName($0) }) var name: VBertName
  @Option(help: "The version's number (default: the one before the present).") var to: Int?

  func run() async throws {
    let registry = try options.openRegistry()
    let versions = try await registry.versions(of: name)
    let current = try await registry.vbert(name).version?.number ?? 0
    let number = to ?? versions.last { $0.id.number < current }?.id.number
    guard let number else { throw RollbackError(name: name, current: current) }
    try await registry.rollback(vbert: name, to: number)
    if options.json {
      try Output.json(
        versions.filter { $0.id.number == number }.map { VersionRow($0, current: true) })
    } else {
      print("\(name) answers with version \(number) now")
    }
  }
}

struct RollbackError: Error, CustomStringConvertible {
  let name: VBertName
  let current: Int

  var description: String {
    current == 0
      ? "\(name) has no version yet; train it first"
      : "\(name) has no version before \(current)"
  }
}

/// A version as the verbs print it.
struct VersionRow: Encodable {
  let vbert: String
  let version: Int
  let current: Bool
  let bytes: Int
  let sha256: String?
  let labels: [String]
  let metrics: [String: Double]
  let note: String
  let created: Date

  init(_ version: VersionRecord, current: Bool) {
    vbert = version.vbert.text
    self.version = version.id.number
    self.current = current
    bytes = version.blob?.byteCount ?? 0
    sha256 = version.blob.map { Hexadecimal.text($0.sha256) }
    labels = version.spec.labels
    metrics = version.metrics
    (note, created) = (version.note, version.created)
  }

  static let titles: [String] = ["", "VERSION", "CREATED", "BYTES", "METRICS", "NOTE"]

  var cells: [String] {
    Self.cells(
      version, current: current, created: created, bytes: bytes, metrics: metrics, note: note)
  }

  static func cells(
    _ version: Int, current: Bool, created: Date, bytes: Int, metrics: [String: Double],
    note: String
  ) -> [String] {
    let figures = metrics.sorted { $0.key < $1.key }
      .map { "\($0.key) \(($0.value * 10_000).rounded() / 10_000)" }
    return [
      current ? "*" : "", "\(version)", created.formatted(.iso8601), "\(bytes)",
      figures.isEmpty ? "-" : figures.joined(separator: ", "), note,
    ]
  }
}
