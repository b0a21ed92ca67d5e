import TestSupport
import Testing

@testable import Model

/// Any text, any vocabulary: right in shape, never a trap.
@Suite struct WordPieceFuzzTests {
  @Test func fuzzedTextGivesAWellFormedEncoding() throws {
    let tokenizers = try [true, false].map {
      try WordPiece(vocabulary: Fixture.bytes("wordpiece.vocab.txt"), lowercase: $0)
    }
    let seeds = [
      "The caf\u{E9} [MASK]", "\u{301}\u{323}\u{F73}", "\u{D55C}\u{6771}[SEP", "can't stop##ing",
    ]
    Fuzz.run { generator, seed in
      var texts = (0..<2).map { _ in Array(seeds[Int.random(in: 0..<4, using: &generator)].utf8) }
      for index in texts.indices {
        if Bool.random(using: &generator) {
          texts[index] += generator.bytes(count: .random(in: 0...300, using: &generator))
        }
        generator.mutate(&texts[index])
      }
      let strings = texts.map { String(decoding: $0, as: UTF8.self) }
      let pair = Bool.random(using: &generator) ? strings[1] : nil
      let maxLength =
        Bool.random(using: &generator) ? Int.random(in: 3...60, using: &generator) : nil
      for tokenizer in tokenizers {
        let encoding = tokenizer.encode(strings[0], pair: pair, maxLength: maxLength)
        let whole = tokenizer.encode(strings[0], pair: pair)
        check(encoding, of: [strings[0]] + (pair.map { [$0] } ?? []), by: tokenizer, seed: seed)
        #expect(encoding == tokenizer.encode(strings[0], pair: pair, maxLength: maxLength))
        #expect(encoding.count == min(whole.count, maxLength ?? .max), "seed \(seed)")
        #expect(encoding.isTruncated == (encoding.count < whole.count), "seed \(seed)")
        if let pair {
          let alone = [strings[0], pair].map { tokenizer.encode($0).count }
          #expect(whole.count == alone[0] + alone[1] - 1, "seed \(seed)")
        }
        let words = tokenizer.encode(words: strings, maxLength: maxLength)
        #expect(words.words.count == words.count && words.count <= maxLength ?? .max)
        #expect(words.words.dropFirst().dropLast().allSatisfy { (0..<2).contains($0) })
      }
    }
  }

  private func check(
    _ encoding: Encoding, of texts: [String], by tokenizer: WordPiece, seed: UInt64
  ) {
    let size = Int32(tokenizer.vocabularySize)
    #expect(encoding.ids.allSatisfy { (0..<size).contains($0) }, "seed \(seed)")
    #expect(encoding.typeIDs.count == encoding.count && encoding.spans.count == encoding.count)
    for (type, text) in texts.enumerated() {
      let length = Int32(text.unicodeScalars.count)
      var last = TextSpan.none
      for index in encoding.ids.indices where encoding.typeIDs[index] == Int32(type) {
        let span = encoding.spans[index]
        if encoding.isAdded(index) { continue }
        // Two pieces can share a code point that decomposes into both.
        #expect(
          span.start < span.end && span.end <= length && span.start >= last.start
            && span.end >= last.end, "seed \(seed)")
        last = span
      }
    }
  }

  @Test func fuzzedVocabulariesAreReadOrRefused() throws {
    let files = try ["wordpiece.vocab.txt", "wordpiece.tokenizer.json"].map(Fixture.bytes)
    Fuzz.run { generator, seed in
      var bytes = files[0]
      generator.mutate(&bytes)
      if let tokenizer = try? WordPiece(vocabulary: bytes) {
        check(tokenizer.encode("The caf\u{E9}"), of: ["The caf\u{E9}"], by: tokenizer, seed: seed)
      }
      bytes = files[1]
      generator.mutate(&bytes)
      if let tokenizer = try? WordPiece(tokenizerJSON: bytes) {
        check(tokenizer.encode("The caf\u{E9}"), of: ["The caf\u{E9}"], by: tokenizer, seed: seed)
      }
    }
  }
}
