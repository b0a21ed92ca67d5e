import ArgumentParser
import Files
import Foundation
import Manager

struct PLOTStatsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "stats", abstract: "How much of a text a table knows, and its size.")

  @OptionGroup var options: PLOTOptions
  @Option(
    parsing: .upToNextOption,
    help: "Text files, plain or gzip, one text a line; without any, only sizes are shown.")
  var corpus: [String] = []
  @Option(help: "Cut texts to so many tokens, as requests are.") var maxLength = 128

  private struct Table: Encodable {
    var file: String
    var type: String
    var rows: Int
    var trigrams: Int
    var bigrams: Int
    var unigrams: Int
    var bytes: Int
    var indexBytes: Int
    var skipDepth: Int
  }

  /// Shares of the tokens.
  private struct Coverage: Encodable {
    var lines: Int
    var tokens: Int
    var trigram: Double
    var bigram: Double
    var unigram: Double
    var miss: Double
  }

  private struct Report: Encodable {
    var tables: [Table]
    var coverage: Coverage?
  }

  func run() throws {
    let base = try options.openBase(.text)
    let domain = try base.openPLOT(cacheBytes: 0, tell: { ProgressLine.warn("\($0)") })
      .domain(options.domain)
    var report = Report(tables: domain.files.map(PLOTStatsCommand.describe))
    if !corpus.isEmpty {
      let found = try PLOTCoverage(
        of: corpus, in: domain, tokenizer: base.tokenizer, maxLength: maxLength)
      let tokens = found.tokens
      func share(_ part: Int) -> Double { Double(part) / Double(max(1, tokens.tokens)) }
      report.coverage = Coverage(
        lines: found.lines, tokens: tokens.tokens, trigram: share(tokens.trigrams),
        bigram: share(tokens.bigrams), unigram: share(tokens.unigrams),
        miss: share(tokens.computed))
    }
    if options.global.json { return try Output.json(report) }
    Output.table(
      ["TABLE", "TYPE", "TRI-GRAMS", "BI-GRAMS", "UNIGRAMS", "BYTES", "INDEX"],
      report.tables.map {
        [
          $0.file, $0.type, "\($0.trigrams)", "\($0.bigrams)", "\($0.unigrams)", "\($0.bytes)",
          "\($0.indexBytes)",
        ]
      })
    if report.tables.isEmpty { print("no table yet: every n-gram is computed") }
    guard let coverage = report.coverage else { return }
    func percent(_ share: Double) -> String { String(format: "%.1f%%", 100 * share) }
    print(
      """
      \(coverage.tokens) tokens of \(coverage.lines) lines: tri-gram \(percent(coverage.trigram)), \
      bi-gram \(percent(coverage.bigram)), unigram \(percent(coverage.unigram)), \
      none \(percent(coverage.miss))
      """)
  }

  private static func describe(_ file: PLOTFile) -> Table {
    let header = file.header
    return Table(
      file: file.url.filePath, type: header.format.type.name,
      rows: header.count, trigrams: header.count - header.bigrams - header.unigrams,
      bigrams: header.bigrams, unigrams: header.unigrams, bytes: header.fileSize,
      indexBytes: header.fileSize - header.count * header.format.stride,
      skipDepth: header.skipDepth)
  }
}
