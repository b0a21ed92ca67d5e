import TestSupport
import Testing

@testable import Model

/// Reading as far as needed gives what reading everything gives.
@Suite struct TokenReaderTests {
  private let tokenizer: WordPiece

  init() throws { tokenizer = try WordPiece(vocabulary: Fixture.bytes("wordpiece.vocab.txt")) }

  /// Every token of both is read, then the longer one loses its last token until they fit.
  private func naive(_ first: String, _ second: String, _ maxLength: Int) -> (
    ids: [Int32], cut: Bool
  ) {
    var a = tokenizer.encode(first, addSpecialTokens: false).ids
    var b = tokenizer.encode(second, addSpecialTokens: false).ids
    let whole = a.count + b.count
    let kept = longestFirst(a.count, b.count, room: max(0, maxLength - 3))
    a.removeLast(a.count - kept.first)
    b.removeLast(b.count - kept.second)
    let (open, end) = (tokenizer.classification, tokenizer.separator)
    return ([open] + a + [end] + b + [end], a.count + b.count < whole)
  }

  @Test func fuzzedQueriesBesideManyTextsAreEveryPairAlone() {
    Fuzz.run { generator, seed in
      func text() -> String {
        let words = ["cat", "caf\u{E9}", "[MASK]", ".", "\u{6771}", "unaffable", "\u{301}", " "]
        let length = [0, 1, 3, 20, 60, 9000][Int.random(in: 0..<6, using: &generator)]
        return (0..<Int.random(in: 0...length, using: &generator))
          .map { _ in words[Int.random(in: 0..<words.count, using: &generator)] }
          .joined(separator: Bool.random(using: &generator) ? " " : "")
      }
      let query = text()
      let maxLength = Int.random(in: 0...70, using: &generator)
      var reader = tokenizer.reader(query, keep: max(0, maxLength - 3))
      for _ in 0..<4 {
        let other = text()
        var second = tokenizer.reader(other, keep: max(0, maxLength - 3))
        let shared = tokenizer.encode(&reader, pair: &second, maxLength: maxLength) {}
        #expect(
          shared == tokenizer.encode(query, pair: other, maxLength: maxLength), "seed \(seed)")
        let expected = naive(query, other, maxLength)
        #expect(shared.ids == expected.ids && shared.isTruncated == expected.cut, "seed \(seed)")
      }
    }
  }

  /// The longer one keeps the odd token, however far both are beyond the room.
  @Test(arguments: [(9000, 9001), (9001, 9000), (9000, 9000), (70, 20_000), (20_000, 70)])
  func theLongerOfTwoLongTextsKeepsTheOddToken(_ counts: (first: Int, second: Int)) {
    let (first, second) = (
      Array(repeating: ".", count: counts.first), Array(repeating: ",", count: counts.second)
    )
    for maxLength in [64, 65] {
      let encoding = tokenizer.encode(
        first.joined(), pair: second.joined(), maxLength: maxLength)
      #expect(encoding.ids == naive(first.joined(), second.joined(), maxLength).ids)
      #expect(encoding.count == maxLength && encoding.isTruncated)
    }
  }

  @Test func aTextIsReadNoFurtherThanItsTokensAreWanted() {
    let text = String(repeating: "cat . ", count: 200_000)
    var checks = 0
    var reader = tokenizer.reader(text, keep: 128)
    let encoding = tokenizer.encode(&reader, maxLength: 128) { checks += 1 }
    #expect(encoding.count == 128 && encoding.isTruncated && checks == 1)
    #expect(!reader.isAtEnd && reader.writer.ids.count <= 128)
    // Without cutting, a pair that cannot fit is given up as early.
    var (first, second) = (tokenizer.reader(text), tokenizer.reader(text))
    let refused = tokenizer.encode(&first, pair: &second, maxLength: 128, cut: false) {}
    #expect(refused.isTruncated && refused.count == 0 && first.count < 200 && second.count < 200)
    // Nor does a count go on for ever where there are no tokens.
    var blank = tokenizer.reader(String(repeating: " ", count: 1 << 20))
    blank.read(past: 10, bytes: 1 << 16) {}
    #expect(!blank.isAtEnd && blank.count == 0)
  }

  @Test func tokensBeyondWhatIsKeptAreCounted() {
    var reader = tokenizer.reader(String(repeating: "cat . ", count: 5000), keep: 7)
    reader.read(past: .max)
    #expect(reader.isAtEnd && reader.count == 10_000 && reader.writer.ids.count == 7)
  }

  private struct Stop: Error {}

  @Test func aCheckEndsTheReading() {
    // One word, white space, marks that wait for their order: nothing of it becomes a token early.
    for piece in ["a", " ", "\u{301}", "\u{0}"] {
      var reader = tokenizer.reader(String(repeating: piece, count: 1 << 18))
      var checks = 0
      #expect(throws: Stop.self) {
        try reader.read(past: 10) { () throws(Stop) in
          checks += 1
          if checks == 3 { throw Stop() }
        }
      }
      #expect(checks == 3 && reader.count == 0)
    }
  }
}
