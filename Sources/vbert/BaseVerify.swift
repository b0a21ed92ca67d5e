import ArgumentParser
import Foundation
import Manager

struct BaseVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Hash bases' files and say which are not as they were.",
    discussion: """
      Every load of a base does the same and refuses a damaged one; this reads all of them, and names \
      every file. A base that is damaged is made again under its own name (base import, base skip); \
      its vBERTs and tables stay. Exit status 1 where one is damaged.
        vbert base verify
        vbert base verify minilm minilm-skip2 --json
      """)

  @OptionGroup var options: GlobalOptions
  @Argument(help: "Their names (default: all).") var names: [String] = []

  private struct Row: Encodable {
    let name: String
    let good: Bool
    /// Which files, and how.
    let damaged: [String]
    /// What else makes it unusable.
    let problem: String?
    let bytes: Int
    let seconds: Double
  }

  func run() throws {
    let bases = options.openBases()
    let wanted = try names.isEmpty ? bases.list().map(\.name) : names
    for name in names { try bases.require(name) }
    let reports = try wanted.compactMap { name in
      do { return try verify(name, bases) } catch BaseError.noBase where names.isEmpty {
        // Removed by somebody since it was listed.
        return nil
      }
    }
    if options.json {
      try Output.json(
        reports.map {
          Row(
            name: $0.name, good: $0.isSound, damaged: $0.damage, problem: $0.problem,
            bytes: $0.verification.bytes, seconds: $0.verification.seconds)
        })
    } else {
      Output.table(["NAME", "STATE", "MB", "SECONDS", "MB/S", "WHAT"], reports.map(cells))
    }
    let bad = reports.filter { !$0.isSound }.map(\.name)
    guard bad.isEmpty else { throw BaseVerifyError.damaged(bad) }
  }

  private func verify(_ name: String, _ bases: BaseStore) throws -> BaseReport {
    var bar = ProgressLine()
    let total = bases.byteCount(of: name) / 1_000_000
    var read = 0
    defer { bar.end() }
    return try bases.verify(name) { bytes in
      read += bytes
      bar.update(name, done: min(read / 1_000_000, total), of: total, unit: "MB")
    }
  }

  private func cells(_ report: BaseReport) -> [String] {
    let took = report.verification
    return [
      report.name,
      report.isSound ? "ok" : report.damage.isEmpty ? "unusable" : "damaged",
      String(format: "%.1f", took.megabytes), String(format: "%.2f", took.seconds),
      String(format: "%.0f", took.megabytes / max(1e-6, took.seconds)),
      report.problem ?? report.damage.joined(separator: ", "),
    ]
  }
}

enum BaseVerifyError: Error, CustomStringConvertible {
  case damaged([String])

  var description: String {
    switch self {
    case .damaged(let names):
      "not as they should be: \(names.joined(separator: ", ")); make a damaged one again under its own "
        + "name (vbert base import, or base skip), remove one that is unusable"
    }
  }
}
