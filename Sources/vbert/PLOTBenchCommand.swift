import ArgumentParser
import Compute
import ComputeCPU
import Files
import Foundation
import Manager
import Model

struct PLOTBenchCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench",
    abstract: "Time opening a table, looking batches up in it, and computing what is missing.")

  @OptionGroup var options: PLOTOptions
  @Option(parsing: .upToNextOption, help: "Text files, plain or gzip, one text a line.")
  var corpus: [String]
  @Option(help: "Tokens a batch.") var tokens = 2560
  @Option(help: "Batches.") var batches = 20
  @Option(help: "Bound of the cache of computed rows.") var cache = ByteSize(256 << 20)

  private struct Report: Encodable {
    var tokens: Int
    var tableRows: Int
    var openMs: Double
    /// Of all tokens, in the tables alone.
    var hitRate: Double
    /// Misses computed, rows touched for the first time.
    var firstMs: [Double]
    var computed: Int
    /// The same batches again.
    var warmMs: [Double]
  }

  func validate() throws {
    guard tokens > 0, batches > 0 else {
      throw ValidationError("--tokens and --batches must be positive")
    }
    guard ByteSize.ofMemory ~= cache.bytes else {
      throw ValidationError("--cache is more than this machine's memory")
    }
  }

  func run() throws {
    let base = try options.openBase()
    let opening = ContinuousClock.now
    let store = try base.openPLOT(
      cacheBytes: cache.bytes, tell: { ProgressLine.warn("\($0)") })
    let domain = try store.domain(options.domain)
    let opened = milliseconds(since: opening)
    let backend = try CPUBackend()
    let model = try BaseModel(
      source: base.weights, configuration: base.configuration, backend: backend)
    let lookup = NGramLookup(
      store: store, computer: try LocalEncoder(base: model, backend: backend))
    let grams = try readBatches(base.tokenizer)
    var report = Report(
      tokens: tokens, tableRows: domain.files.reduce(0) { $0 + $1.count }, openMs: opened,
      hitRate: 0, firstMs: [], computed: 0, warmMs: [])
    var statistics = PLOTStatistics()
    for round in 0..<6 {
      for grams in grams {
        let start = ContinuousClock.now
        let segment = NGramLookup.Segment(tokens: 0..<grams.count, domain: domain)
        let found = try lookup.rows(for: grams, segments: [segment], mode: .exact)
        let time = milliseconds(since: start)
        if round == 0 {
          report.firstMs.append(time)
          report.computed += found.computedNGrams
          statistics += found.statistics
        } else if found.computedNGrams == 0 {
          report.warmMs.append(time)
        }
      }
    }
    report.hitRate = statistics.hitRate
    try show(report)
  }

  private func readBatches(_ tokenizer: any Tokenizer) throws -> [[NGram]] {
    var done: [[NGram]] = []
    var grams: [NGram] = []
    for path in corpus {
      let reader = try LineReader(path: path)
      while done.count < batches, let line = try reader.next() {
        let text = String(decoding: line.bytes, as: UTF8.self)
        NGram.append(of: tokenizer.encode(text, maxLength: 128).ids[...], to: &grams)
        if grams.count >= tokens {
          done.append(Array(grams[..<tokens]))
          grams.removeAll()
        }
      }
    }
    return done
  }

  private func milliseconds(since start: ContinuousClock.Instant) -> Double {
    (ContinuousClock.now - start) / .milliseconds(1)
  }

  private func show(_ report: Report) throws {
    if options.global.json { return try Output.json(report) }
    func row(_ what: String, _ times: [Double]) -> [String] {
      let sorted = times.sorted()
      guard let best = sorted.first else { return [what, "-", "-"] }
      return [
        what, String(format: "%.3f", best), String(format: "%.3f", sorted[sorted.count / 2]),
      ]
    }
    print(
      """
      \(report.tableRows) rows opened in \(String(format: "%.2f", report.openMs)) ms; \
      hit rate \(String(format: "%.1f%%", 100 * report.hitRate)); \
      \(report.computed) n-grams computed
      """)
    Output.table(
      ["BATCHES OF \(report.tokens) TOKENS", "BEST MS", "MEDIAN MS"],
      [row("first time", report.firstMs), row("warm", report.warmMs)])
  }
}
