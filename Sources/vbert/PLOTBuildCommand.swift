import ArgumentParser
import Compute
import Files
import Foundation
import Manager
import Model

struct PLOTBuildCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "build",
    abstract: "Count a corpus's n-grams and store the most frequent ones' rows.",
    discussion: """
      The general table also holds every token's own row, so that --plot fallback always finds \
      something. A domain's table is looked up before the general one and can be small. The same \
      corpus gives the same file. An existing table is replaced when the new one is complete; a \
      running server keeps the old one until it is started again.
      """)

  @OptionGroup var options: PLOTOptions
  @OptionGroup var device: DeviceOptions
  @Option(
    parsing: .upToNextOption,
    help: "Text files, plain or gzip, one text a line.") var corpus: [String] = []
  @Option(help: "Instead of a corpus: a list that plot ngrams made, plain or gzip.")
  var ngrams: String?
  @Option(help: "N-grams to keep, beside the vocabulary.") var rows = 200_000
  @Option(help: "How rows are stored (default: fp16).") private var type: PLOTRowType?
  private var rowType: PLOTRowType { type ?? .float16 }
  @Option(help: "Memory for counting; more text than fits is sorted on disk.")
  var memory = ByteSize(512 << 20)
  @Option(help: "Threads (default: all processors).")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    guard corpus.isEmpty == (ngrams != nil) else {
      throw ValidationError("give --corpus or --ngrams")
    }
    guard rows >= 0 else { throw ValidationError("--rows must not be negative") }
    guard (1...1024).contains(threads) else { throw ValidationError("--threads must be 1...1024") }
  }

  private struct Report: Encodable {
    var file: String
    var type: String
    var rows: Int
    var trigrams: Int
    var bigrams: Int
    var unigrams: Int
    var bytes: Int
    var lines: Int
    var tokens: Int
    var seconds: Double
  }

  func run() throws {
    let start = ContinuousClock.now
    try Corpus.warn(of: corpus)
    let home = Home(option: options.global.home)
    let base = try options.openBase()
    guard let lock = try home.lock("plot-\(base.name)") else {
      throw PLOTUsageError.busy(base.name)
    }
    defer { withExtendedLifetime(lock) {} }
    try PLOTBuild.prepare(base.plotDirectory)
    // Before the layers are read: of layers that change meanwhile the table is refused later.
    let maker = try base.rowsHash(domain: options.domain)
    let backend = try Device(device).lane(threads: threads)
    let model = try BaseModel(
      source: try base.weights(domain: options.domain), configuration: base.configuration,
      backend: backend)
    let build = PLOTBuild(
      tokenizer: base.tokenizer, baseHash: maker,
      skipDepth: base.configuration.skipDepth,
      format: PLOTRowFormat(type: rowType, hidden: base.configuration.hiddenSize),
      file: options.file(of: base), rows: rows, unigrams: options.domain == nil,
      memory: memory.bytes, threads: threads)
    let summary = try count(build, try LocalEncoder(base: model, backend: backend))
    let table = summary.table
    let report = Report(
      file: build.file.filePath, type: rowType.name, rows: table.count,
      trigrams: table.count - table.bigrams - table.unigrams, bigrams: table.bigrams,
      unigrams: table.unigrams, bytes: table.fileSize, lines: summary.lines,
      tokens: summary.tokens, seconds: (ContinuousClock.now - start) / .seconds(1))
    if options.global.json { return try Output.json(report) }
    print(
      """
      \(report.file): \(report.trigrams) tri-grams, \(report.bigrams) bi-grams, \
      \(report.unigrams) unigrams as \(report.type), \(report.bytes >> 20) MB, \
      from \(ngrams ?? "\(report.lines) lines (\(report.tokens) tokens)")
      """)
  }

  private func count(_ build: PLOTBuild, _ computer: LocalEncoder) throws -> PLOTBuild.Summary {
    var counting = ProgressLine()
    var computing: ProgressLine?
    func show(_ progress: PLOTBuild.Progress) {
      switch progress {
      case .counting(let lines, _):
        counting.update("counting", done: lines, unit: "lines")
      case .computing(let done, let total):
        if computing == nil {
          counting.end()
          computing = ProgressLine()
        }
        computing?.update("computing", done: done, of: total, unit: "rows")
      }
    }
    defer { computing?.end() }
    guard let ngrams else { return try build.run(corpus, computer: computer, progress: show) }
    return try build.run(
      NGramList.read(ngrams, tokenizer: build.tokenizer), computer: computer, progress: show)
  }
}
