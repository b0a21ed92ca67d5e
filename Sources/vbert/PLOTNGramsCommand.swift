import ArgumentParser
import Foundation
import Manager
import Model

struct PLOTNGramsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ngrams",
    abstract: "Write down a corpus's most frequent n-grams, for plot build --ngrams.",
    discussion: """
      A line is three tokens, - where there is none. The list is all that a table is made of \
      beside the base, so it can be given away where the corpus cannot.
      """)

  @OptionGroup var options: PLOTOptions
  @Option(
    parsing: .upToNextOption,
    help: "Text files, plain or gzip, one text a line.") var corpus: [String]
  @Option(help: "N-grams to keep.") var rows = 200_000
  @Option(help: "Where to.") var out: String
  @Option(help: "Memory for counting; more text than fits is sorted on disk.")
  var memory = ByteSize(512 << 20)
  @Option(help: "Threads (default: all processors).")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    guard !corpus.isEmpty else { throw ValidationError("--corpus names no file") }
    guard rows >= 0 else { throw ValidationError("--rows must not be negative") }
    guard (1...1024).contains(threads) else { throw ValidationError("--threads must be 1...1024") }
  }

  func run() throws {
    try Corpus.warn(of: corpus)
    let base = try options.openBase(.text)
    try PLOTBuild.prepare(base.plotDirectory)
    let build = PLOTBuild(
      tokenizer: base.tokenizer, baseHash: base.record.contentHash,
      skipDepth: base.configuration.skipDepth,
      format: PLOTRowFormat(type: .float16, hidden: base.configuration.hiddenSize),
      file: options.file(of: base), rows: rows, unigrams: false, memory: memory.bytes,
      threads: threads)
    var bar = ProgressLine()
    let (chosen, lines, tokens) = try build.count(corpus) { progress in
      if case .counting(let lines, _) = progress {
        bar.update("counting", done: lines, unit: "lines")
      }
    }
    bar.end()
    try NGramList.write(chosen, to: out, tokenizer: base.tokenizer)
    if options.global.json {
      return try Output.json(["ngrams": chosen.count, "lines": lines, "tokens": tokens])
    }
    print("\(out): \(chosen.count) n-grams of \(lines) lines (\(tokens) tokens)")
  }
}
