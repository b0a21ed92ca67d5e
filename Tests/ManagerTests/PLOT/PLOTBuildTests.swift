import Compute
import Foundation
import Model
import TestSupport
import Testing

@testable import Manager

struct PLOTBuildTests {
  let directory: TemporaryDirectory
  let tokenizer: WordPiece
  let words: [String]

  init() throws {
    directory = try TemporaryDirectory()
    words = (0..<40).map { "w\($0)" }
    let vocabulary = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + words
    tokenizer = try WordPiece(vocabulary: Array(vocabulary.joined(separator: "\n").utf8))
  }

  @Test func anyBoundOfMemoryMakesACounter() {
    for bytes in [Int.min, -1, 0, 1, 1 << 20, .max] {
      var counts = NGramCounts(byteCount: bytes)
      #expect(counts.isEmpty && !counts.isFull)
      counts.add(NGram(1, 2, 3))
      #expect(!counts.isFull && counts.drain().map(\.gram) == [NGram(1, 2, 3)])
    }
  }

  /// Lines of words as frequent as Zipf has them, and some that hold nothing.
  private func corpus(lines: Int, seed: UInt64) -> [String] {
    var generator = SeededGenerator(seed: seed)
    return (0..<lines).map { _ in
      (0..<Int.random(in: 0...12, using: &generator)).map { _ in
        let rank = exp(Double.random(in: 0..<log(41), using: &generator)) - 1
        return words[min(Int(rank), words.count - 1)]
      }.joined(separator: " ")
    }
  }

  private func write(_ lines: [String], _ name: String) throws -> String {
    let url = directory.url.appending(path: name)
    try Data(lines.joined(separator: "\n").utf8).write(to: url)
    return url.path()
  }

  private func naiveCounts(_ lines: [String]) -> [NGram: Int] {
    var counts: [NGram: Int] = [:]
    for line in lines where !line.isEmpty {
      for gram in NGram.list(of: tokenizer.encode(line).ids) {
        counts[gram, default: 0] += 1
        if gram.left != NGram.none, gram.right != NGram.none {
          counts[gram.bigram, default: 0] += 1
        }
      }
    }
    return counts
  }

  /// Rows of one large value.
  private final class LargeRows: NGramComputer {
    let value: Float

    init(value: Float) { self.value = value }

    func compute(_ grams: [NGram], into rows: UnsafeMutableBufferPointer<Float>) {
      for i in 0..<rows.count { unsafe rows[i] = value }
    }
  }

  @Test(arguments: [
    (PLOTRowType.float16, Float(65_504), true), (.float16, -65_505, false),
    (.float16, .infinity, false), (.float16, .nan, false), (.float32, 1e30, true),
    (.float32, -.infinity, false), (.int8, 1e30, true), (.int8, .nan, false),
  ])
  func rowsThatDoNotFitTheFormat(type: PLOTRowType, value: Float, fits: Bool) throws {
    let url = directory.url.appending(path: "general.plot")
    let build = PLOTBuild(
      tokenizer: tokenizer, baseHash: SmallPLOT.hash, skipDepth: 2,
      format: SmallPLOT.format(type), file: url, rows: 10, unigrams: false, threads: 1)
    let list = [NGram(6, 7, 8)]
    if fits {
      _ = try build.run(list, computer: LargeRows(value: value))
    } else {
      #expect(throws: PLOTError.rowTooLarge(NGram(6, 7, 8), type)) {
        try build.run(list, computer: LargeRows(value: value))
      }
    }
    #expect(FileManager.default.fileExists(atPath: url.path(percentEncoded: false)) == fits)
  }

  private func build(
    _ paths: [String], to name: String, rows: Int, memory: Int = 64 << 20, threads: Int = 2,
    unigrams: Bool = true
  ) throws -> (file: PLOTFile, summary: PLOTBuild.Summary) {
    let url = directory.url.appending(path: name)
    let build = PLOTBuild(
      tokenizer: tokenizer, baseHash: SmallPLOT.hash, skipDepth: 2,
      format: SmallPLOT.format(.float16), file: url, rows: rows, unigrams: unigrams,
      memory: memory, threads: threads)
    let summary = try build.run(paths, computer: KeyedRows(hidden: SmallPLOT.hidden))
    return (
      try PLOTFile(opening: url, baseHash: SmallPLOT.hash, hidden: SmallPLOT.hidden), summary
    )
  }

  /// The bound is so small that runs are spilled; there are as many as ever.
  @Test func countsAreExactHoweverTheyWereMade() throws {
    let lines = corpus(lines: 3_000, seed: 20)
    let path = try write(lines, "corpus.txt")
    for (memory, threads) in [(1, 1), (1, 3), (64 << 20, 2)] {
      let counter = CorpusCounter(
        tokenizer: tokenizer, directory: directory.url, memory: memory, threads: threads)
      try counter.read(path)
      var counts: [NGram: Int] = [:]
      var last: NGram?
      for entry in try counter.merged() {
        if let last { #expect(NGramCount.precedes(last, entry.gram)) }
        last = entry.gram
        counts[entry.gram] = Int(entry.count)
      }
      #expect(counts == naiveCounts(lines))
      #expect(memory > 1 || counter.runCount > 5)
    }
    let left = try FileManager.default.contentsOfDirectory(atPath: directory.url.path())
    #expect(left == ["corpus.txt"])
  }

  @Test func theMostFrequentAreKept() throws {
    let lines = corpus(lines: 2_000, seed: 21)
    let path = try write(lines, "corpus.txt")
    let counts = naiveCounts(lines)
    let isBigram = { (gram: NGram) in
      gram.left == NGram.none && gram.centre != tokenizer.classification
    }
    let (file, summary) = try build([path], to: "general.plot", rows: 400)
    #expect(
      summary.lines == lines.count && summary.table.count == 400 + tokenizer.vocabularySize - 1)
    #expect(file.header.unigrams == tokenizer.vocabularySize - 1)
    for id in 1..<Int32(tokenizer.vocabularySize) {
      let unigram = NGram(id, id, id).unigram
      #expect(file.find(unigram, hash: unigram.plotHash) != nil)
    }
    for (kind, share) in [(true, 100), (false, 300)] {
      let kept = counts.filter { isBigram($0.key) == kind }
        .filter { file.find($0.key, hash: $0.key.plotHash) != nil }
      let left = counts.filter { isBigram($0.key) == kind && kept[$0.key] == nil }
      #expect(kept.count == share)
      #expect((kept.values.min() ?? 0) >= (left.values.max() ?? 0))
    }
  }

  /// A table of the list is the corpus's own, to the byte.
  @Test func listGivesTheSameTable() throws {
    let path = try write(corpus(lines: 400, seed: 8), "text")
    let build = PLOTBuild(
      tokenizer: tokenizer, baseHash: SmallPLOT.hash, skipDepth: 2,
      format: SmallPLOT.format(.float16), file: directory.url.appending(path: "list.plot"),
      rows: 300, unigrams: true, threads: 2)
    let list = directory.url.appending(path: "ngrams").path()
    try NGramList.write(try build.count([path]).chosen, to: list, tokenizer: tokenizer)
    let read = try NGramList.read(list, tokenizer: tokenizer)
    #expect(try read == build.count([path]).chosen)
    _ = try build.run(read, computer: KeyedRows(hidden: SmallPLOT.hidden))
    let whole = try self.build([path], to: "whole.plot", rows: 300)
    #expect(try Data(contentsOf: build.file) == Data(contentsOf: whole.file.url))
    // Of a longer list a shorter table takes what it would take of the corpus.
    var shorter = build
    shorter.rows = 120
    _ = try shorter.run(read, computer: KeyedRows(hidden: SmallPLOT.hidden))
    let short = try self.build([path], to: "short.plot", rows: 120)
    #expect(try Data(contentsOf: build.file) == Data(contentsOf: short.file.url))
    for (line, text) in [(1, "w1 w2"), (2, "w1 w2 w3\nw1 nowhere w3"), (1, "w1 - w2")] {
      let bad = try write([text], "bad")
      #expect(throws: PLOTError.list(path: bad, line: line)) {
        try NGramList.read(bad, tokenizer: tokenizer)
      }
    }
    let old = try write(["w1 w2 -", "[PAD] w1 w2"], "old")
    #expect(throws: PLOTError.oldList(path: old, line: 2, padding: "[PAD]")) {
      try NGramList.read(old, tokenizer: tokenizer)
    }
  }

  /// The token - is not none, and \ is a token too.
  @Test func aHyphenIsNotNone() throws {
    let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "-", "\\", "\\-", "w"]
    let tokenizer = try WordPiece(vocabulary: Array(words.joined(separator: "\n").utf8))
    let grams = [
      NGram(5, 8, NGram.none), NGram(NGram.none, 5, 6), NGram(7, 6, 7), NGram(5, 7, NGram.none),
    ]
    let list = directory.url.appending(path: "hyphens").path()
    try NGramList.write(grams, to: list, tokenizer: tokenizer)
    #expect(try NGramList.read(list, tokenizer: tokenizer) == grams)
    let text = try String(contentsOfFile: list, encoding: .utf8)
    #expect(text.hasPrefix("\\- w -\n- \\- \\\\\n"))
  }

  @Test func theSameInputGivesTheSameBytes() throws {
    let paths = [
      try write(corpus(lines: 1_000, seed: 22), "a.txt"),
      try write(corpus(lines: 500, seed: 23), "b.txt"),
    ]
    _ = try build(paths, to: "one.plot", rows: 333)
    _ = try build(paths, to: "two.plot", rows: 333, memory: 1, threads: 3)
    _ = try build(paths.reversed(), to: "three.plot", rows: 333, threads: 1)
    let one = try Data(contentsOf: directory.url.appending(path: "one.plot"))
    #expect(try Data(contentsOf: directory.url.appending(path: "two.plot")) == one)
    #expect(try Data(contentsOf: directory.url.appending(path: "three.plot")) == one)
  }

  @Test func littleTextOrNoneMakesASmallTable() throws {
    let path = try write(["w1 w2", "", "   "], "little.txt")
    let (file, summary) = try build([path], to: "general.plot", rows: 1_000, unigrams: false)
    // [CLS] w1 w2 [SEP]: four tri-grams, two bi-grams.
    #expect(file.count == 6 && summary.tokens == 4)
    #expect(try build([], to: "empty.plot", rows: 5, unigrams: false).file.count == 0)
    #expect(throws: PLOTError.self) { try build([path], to: "x.plot", rows: -1) }
    #expect(throws: (any Error).self) { try build(["/nowhere"], to: "x.plot", rows: 1) }
    #expect(!FileManager.default.fileExists(atPath: directory.url.appending(path: "x.plot").path()))
  }

  /// Padding written out in a text is a token like others, but no list has it and it has no unigram.
  @Test func writtenPaddingIsAToken() throws {
    let path = try write(["[PAD] w1 [PAD] w2"], "padding.txt")
    let (file, _) = try build([path], to: "general.plot", rows: 100)
    #expect(file.count == Set(SmallPLOT.keys(of: file)).count)
    #expect(SmallPLOT.keys(of: file).contains { $0.centre == 0 && $0.left != NGram.none })
    let list = directory.url.appending(path: "list.txt").path()
    try NGramList.write(SmallPLOT.keys(of: file), to: list, tokenizer: tokenizer)
    let read = try NGramList.read(list, tokenizer: tokenizer)
    let hasPadding = { (gram: NGram) in [gram.left, gram.centre, gram.right].contains(0) }
    #expect(Set(read) == Set(SmallPLOT.keys(of: file).filter { !hasPadding($0) }))
    #expect(file.header.unigrams == tokenizer.vocabularySize - 1)
  }

  @Test func coverageCountsLevels() throws {
    let lines = corpus(lines: 500, seed: 24)
    let path = try write(lines, "corpus.txt")
    _ = try build([path], to: "general.plot", rows: 200)
    let store = try PLOTStore(
      directory: directory.url, baseHash: SmallPLOT.hash, hidden: SmallPLOT.hidden, skipDepth: 2,
      cacheBytes: 0)
    let coverage = try PLOTCoverage(
      of: [path], in: store.general, tokenizer: tokenizer, maxLength: 8)
    var expected = PLOTStatistics()
    let lookup = NGramLookup(store: store, computer: KeyedRows(hidden: SmallPLOT.hidden))
    for line in lines where !line.isEmpty {
      let ids = tokenizer.encode(line, maxLength: 8).ids
      expected += try lookup.rows(for: NGram.list(of: ids), mode: .fallback).statistics
    }
    #expect(coverage.tokens == expected && expected.bigrams > 0 && expected.unigrams > 0)
    #expect(coverage.lines == lines.count { !$0.isEmpty })
  }
}

extension SmallPLOT {
  static func keys(of file: PLOTFile) -> [NGram] {
    var keys: [NGram] = []
    file.forEach { keys.append($0.gram) }
    return keys
  }
}
