import Foundation
import TestSupport
import Testing

@testable import Model

/// Reading from the end gives what letting go of the first tokens of everything gives.
@Suite struct WordPieceTailTests {
  private let tokenizers: [WordPiece]

  init() throws {
    tokenizers = try [true, false].map {
      try WordPiece(vocabulary: Fixture.bytes("wordpiece.vocab.txt"), lowercase: $0)
    }
  }

  /// Everything is read, then the first tokens of the longer one go until both fit.
  private func naive(_ tokenizer: WordPiece, _ texts: [String], _ maxLength: Int) -> Encoding {
    let whole = texts.map { tokenizer.encode($0, addSpecialTokens: false) }
    let room = max(0, maxLength - tokenizer.special.count(isPair: texts.count == 2))
    var kept = [min(whole[0].count, room)]
    if texts.count == 2 {
      let both = longestFirst(whole[0].count, whole[1].count, room: room)
      kept = [both.first, both.second]
    }
    var encoding = Encoding()
    encoding.append(added: tokenizer.classification, type: 0)
    for (type, one) in whole.enumerated() {
      encoding.ids += one.ids.suffix(kept[type])
      encoding.spans += one.spans.suffix(kept[type])
      encoding.typeIDs += repeatElement(Int32(type), count: kept[type])
      encoding.append(added: tokenizer.separator, type: Int32(type))
      encoding.isTruncated = encoding.isTruncated || kept[type] < one.count
    }
    return encoding
  }

  private struct Line: Decodable {
    var text: String?
    var pair: String?
    var texts: [String]?
    var maxLength: Int
    var ids: [Int32]
    var typeIDs: [Int32]
    var offsets: [[Int32]]
    var words: [Int32]?

    func encode(with tokenizer: WordPiece) -> Encoding {
      if var rest = texts {
        let count = Int32(rest.count)
        var encoding = tokenizer.encodeTail(maxLength: maxLength, check: {}) { rest.popLast() }
        encoding.words = encoding.words.map { $0 < 0 ? -1 : count - 1 - $0 }
        return encoding
      }
      guard let text, let pair else {
        return tokenizer.encodeTail(text ?? "", maxLength: maxLength) {}
      }
      var (first, second) = (tokenizer.reader(text), tokenizer.reader(pair))
      var tail: WordPiece.Tail?
      return tokenizer.encodeTail(
        &first, pair: &second, maxLength: maxLength, firstTail: &tail
      ) {}
    }
  }

  /// Texts, pairs and words as the reference library cuts them on the left.
  @Test func equalsTheReference() throws {
    let lines = try Data(Fixture.bytes("wordpiece.left.jsonl")).jsonLines.map {
      try JSONDecoder().decode(Line.self, from: $0)
    }
    #expect(lines.count == 340)
    for line in lines {
      let encoding = line.encode(with: tokenizers[0])
      #expect(
        encoding.ids == line.ids && encoding.typeIDs == line.typeIDs
          && encoding.words == line.words ?? []
          && encoding.spans.map { [$0.start, $0.end] } == line.offsets, "\(line)")
    }
  }

  private static let pieces = [
    "cat", "unaffable", "caf\u{E9}", "[MASK]", "[MASK", "[", "]", ".", "\u{6771}", "\u{FF01}",
    "\u{301}", "\u{323}\u{F73}", " ", "\n", "\u{3000}", "\u{0}", "\u{200B}", "\u{D55C}",
    "\u{1F600}", "\u{130}", "##s", "\u{302E}", "\u{2126}", "\u{37E}", "\u{F900}", "a", "don't",
  ]

  private func text(_ generator: inout SeededGenerator) -> String {
    let length = [0, 1, 3, 20, 300, 3000][Int.random(in: 0..<6, using: &generator)]
    let pieces = Self.pieces.filter { _ in Bool.random(using: &generator) }
    let gap = ["", " ", ". "][Int.random(in: 0..<3, using: &generator)]
    return (0..<Int.random(in: 0...length, using: &generator))
      .map { _ in pieces.randomElement(using: &generator) ?? "a" }
      .joined(separator: gap)
  }

  @Test func fuzzedTailsAreThoseOfTheWhole() {
    Fuzz.run { generator, seed in
      let maxLength = Int.random(in: 3...70, using: &generator)
      for tokenizer in tokenizers {
        let texts = (0..<4).map { _ in text(&generator) }
        #expect(
          tokenizer.encodeTail(texts[0], maxLength: maxLength) {}
            == naive(tokenizer, [texts[0]], maxLength), "seed \(seed)")
        var first = tokenizer.reader(texts[0], keep: maxLength)
        var firstTail: WordPiece.Tail?
        for other in texts {
          var second = tokenizer.reader(other, keep: maxLength)
          let pair = tokenizer.encodeTail(
            &first, pair: &second, maxLength: maxLength, firstTail: &firstTail
          ) {}
          #expect(pair == naive(tokenizer, [texts[0], other], maxLength), "seed \(seed)")
        }
      }
    }
  }

  /// A boundary is one whatever the text before it is.
  @Test func fuzzedBoundariesDivideTokens() {
    Fuzz.run { generator, seed in
      let text = Array(text(&generator).utf8.prefix(200))
      let string = String(decoding: text, as: UTF8.self)
      let bytes = Array(string.utf8)
      guard !bytes.isEmpty else { return }
      let place = Int.random(in: 0..<bytes.count, using: &generator)
      for tokenizer in tokenizers where tokenizer.isBoundary(bytes.span, place) {
        let parts = [bytes[..<place], bytes[place...]].map {
          tokenizer.encode(String(decoding: $0, as: UTF8.self), addSpecialTokens: false).ids
        }
        #expect(
          parts[0] + parts[1] == tokenizer.encode(string, addSpecialTokens: false).ids,
          "seed \(seed): \(string.debugDescription) at \(place)")
      }
    }
  }

  @Test func fuzzedWordsFromTheEndAreTheWords() {
    Fuzz.run { generator, seed in
      let text = text(&generator)
      let splits = Bool.random(using: &generator)
      let words = WordSplitter.words(of: text, splitsIdeographs: splits)
      let most = Int.random(in: 1...40, using: &generator)
      var reader = LastWords(text, most: most, splitsIdeographs: splits)
      var last: [TextWord] = []
      while last.count < most, let word = reader.previous(check: {}) { last.append(word) }
      let points = Int32(text.unicodeScalars.count)
      #expect(
        last.reversed().map { $0.moved(by: points) } == words.suffix(most), "seed \(seed)")
    }
  }

  @Test func fuzzedWordsLoseTheirFirstTokens() {
    Fuzz.run { generator, seed in
      let words = (0..<Int.random(in: 0...30, using: &generator)).map { _ in
        Self.pieces.randomElement(using: &generator) ?? ""
      }
      let tokenizer = tokenizers[0]
      let whole = tokenizer.encode(words: words)
      let maxLength = Int.random(in: 3...40, using: &generator)
      let room = maxLength - 2
      var rest = words
      let tail = tokenizer.encodeTail(maxLength: maxLength, check: {}) { rest.popLast() }
      let ids = whole.ids.dropFirst().dropLast()
      #expect(Array(tail.ids.dropFirst().dropLast()) == ids.suffix(room), "seed \(seed)")
      #expect(tail.isTruncated == (ids.count > room))
      let owners = tail.words.map { $0 < 0 ? -1 : Int32(words.count) - 1 - $0 }
      #expect(
        Array(owners.dropFirst().dropLast())
          == Array(whole.words.dropFirst().dropLast().suffix(room)), "seed \(seed)")
      let lost = whole.words.dropFirst().dropLast().dropLast(min(room, ids.count)).last
      let isInside = lost.map { owner in owner == owners.dropFirst().first } ?? false
      #expect(tail.beginsInsideWord == isInside, "seed \(seed)")
    }
  }

  /// Four megabytes are passed over, not read: few stretches, whatever the text is made of.
  @Test(arguments: ["cat . ", "\u{6771}", ".", "[MASK]", "cat\u{3000}"])
  func longTextsAreReadFromTheirEnd(_ unit: String) {
    let text = String(repeating: unit, count: (4 << 20) / unit.utf8.count)
    var checks = 0
    let encoding = tokenizers[0].encodeTail(text, maxLength: 128) { checks += 1 }
    #expect(encoding.count == 128 && encoding.isTruncated && checks <= 4)
    let gap = unit.hasPrefix("cat") ? 1 : 0
    #expect(encoding.spans[126].end == Int32(text.unicodeScalars.count - gap))
  }

  private struct Stop: Error {}

  @Test func aCheckEndsTheReading() {
    for piece in ["a", " ", "\u{301}", "\u{0}"] {
      let text = String(repeating: piece, count: 1 << 18)
      var checks = 0
      #expect(throws: Stop.self) {
        try tokenizers[0].tail(text, most: 10) { () throws(Stop) in
          checks += 1
          if checks == 3 { throw Stop() }
        }
      }
      #expect(checks == 3)
    }
  }
}
