internal import Files
package import Foundation
package import Model

/// Builds a table from plain text: counts its n-grams, keeps the most frequent, computes their rows.
package struct PLOTBuild: Sendable {
  package var tokenizer: any Tokenizer
  package var baseHash: String
  package var skipDepth: Int
  package var format: PLOTRowFormat
  /// The table's file.
  package var file: URL
  /// Tri-grams and bi-grams to keep.
  package var rows: Int
  /// Whether (none, x, none) of the whole vocabulary is stored too: in the general table; a domain's
  /// readers find them there.
  package var unigrams: Bool
  /// Bound on the counting tables, in bytes; the chosen n-grams (12 bytes each) come on top.
  package var memory: Int
  package var threads: Int

  package init(
    tokenizer: any Tokenizer, baseHash: String, skipDepth: Int, format: PLOTRowFormat, file: URL,
    rows: Int, unigrams: Bool, memory: Int = 512 << 20, threads: Int
  ) {
    self.tokenizer = tokenizer
    self.baseHash = baseHash
    self.skipDepth = skipDepth
    self.format = format
    self.file = file
    self.rows = rows
    self.unigrams = unigrams
    self.memory = memory
    self.threads = threads
  }

  package enum Progress: Sendable, Equatable {
    case counting(lines: Int, tokens: Int)
    case computing(done: Int, of: Int)
  }

  package struct Summary: Sendable {
    package var lines: Int
    package var tokens: Int
    package var table: PLOTHeader
  }

  /// Makes the tables' directory and sweeps what a killed build left there.
  package static func prepare(_ directory: URL) throws {
    try FileManager.default.createDirectory(
      at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    _ = Leftover.sweep(directory)
  }

  /// The table appears when it is complete, or not at all. The same input gives the same file, to
  /// the byte, whatever `threads` and `memory` are. Throws `PLOTError` and what reading and computing
  /// throw.
  package func run(
    _ corpus: [String], computer: any NGramComputer, progress: (Progress) -> Void = { _ in }
  ) throws -> Summary {
    let (chosen, lines, tokens) = try count(corpus, progress: progress)
    var summary = try run(chosen, computer: computer, progress: progress)
    (summary.lines, summary.tokens) = (lines, tokens)
    return summary
  }

  /// The same from n-grams that were chosen before; of more than `rows` the first, as many of them
  /// bi-grams as a table of a corpus has.
  package func run(
    _ chosen: [NGram], computer: any NGramComputer, progress: (Progress) -> Void = { _ in }
  ) throws -> Summary {
    try checkRows()
    let chosen = NGramSelection(rows: rows, classification: tokenizer.classification).cut(chosen)
    let table = try write(chosen + (unigrams ? self.unigrams(without: chosen) : []), computer) {
      progress(.computing(done: $0, of: $1))
    }
    return Summary(lines: 0, tokens: 0, table: table)
  }

  /// The n-grams that a table of this corpus keeps, most frequent first, and the size of the corpus.
  package func count(_ corpus: [String], progress: (Progress) -> Void = { _ in }) throws
    -> (chosen: [NGram], lines: Int, tokens: Int)
  {
    try checkRows()
    let counter = CorpusCounter(
      tokenizer: tokenizer, directory: file.deletingLastPathComponent(), memory: memory,
      threads: threads)
    for path in corpus {
      try counter.read(path) {
        progress(.counting(lines: counter.lines, tokens: counter.tokens))
      }
    }
    guard corpus.isEmpty || counter.tokens > 0 else { throw PLOTError.noText(paths: corpus) }
    let chosen = NGramSelection(rows: rows, classification: tokenizer.classification)
      .choose(from: try counter.merged())
    return (chosen, counter.lines, counter.tokens)
  }

  private func checkRows() throws(PLOTError) {
    guard (0...PLOTHeader.mostRows - tokenizer.vocabularySize).contains(rows) else {
      throw PLOTError.setting(
        name: "rows", value: rows, range: 0...PLOTHeader.mostRows - tokenizer.vocabularySize)
    }
  }

  /// (none, x, none) for every token but padding. None of them is ever counted: a text has two tokens
  /// at least, so every n-gram of one has a neighbour.
  private func unigrams(without chosen: [NGram]) -> [NGram] {
    let written = Set(chosen.lazy.filter { $0 == $0.unigram })
    let padding = tokenizer.id(of: tokenizer.special.padding)
    return (0..<Int32(tokenizer.vocabularySize)).filter { $0 != padding }
      .map { NGram(NGram.none, $0, NGram.none) }.filter { !written.contains($0) }
  }

  private func write(
    _ grams: [NGram], _ computer: any NGramComputer, _ progress: (Int, Int) -> Void
  ) throws -> PLOTHeader {
    let writer = try PLOTWriter(
      file, baseHash: baseHash, skipDepth: skipDepth, format: format, count: grams.count)
    let width = format.valueCount
    var values = [Float](repeating: 0, count: 512 * width)
    var first = 0
    while first < grams.count {
      let chunk = Array(grams[first..<min(first + 512, grams.count)])
      try unsafe values.withUnsafeMutableBufferPointer { values in
        unsafe try computer.compute(
          chunk, into: UnsafeMutableBufferPointer(rebasing: values[..<(chunk.count * width)]))
        guard let start = values.baseAddress else { return }
        for (i, gram) in chunk.enumerated() {
          let row = unsafe UnsafeBufferPointer(start: start + i * width, count: width)
          guard unsafe row.allSatisfy({ $0.magnitude <= format.type.largest }) else {
            throw PLOTError.rowTooLarge(gram, format.type)
          }
          unsafe writer.append(gram, values: start + i * width)
        }
      }
      first += chunk.count
      progress(first, grams.count)
    }
    return try writer.finish()
  }
}
