import Foundation
import TestSupport
import Testing

@testable import Model

/// Tokens added to a vocabulary, found as the reference library finds them
/// (Fixtures/make_added_tokens.py).
@Suite struct AddedTokenTests {
  private struct Line: Decodable {
    struct Token: Codable {
      var id: Int
      var content: String
      var single_word, lstrip, rstrip, normalized, special: Bool
    }
    struct Case: Decodable {
      var text: String?
      var words: [String]?
      var ids: [Int32]
      var offsets: [[Int32]]
    }
    var tokens: [Token]
    var lowercase: Bool
    var cases: [Case]
  }

  static func tokenizer(_ added: String, lowercase: Bool = true) throws -> WordPiece {
    let json = String(decoding: try Fixture.bytes("wordpiece.tokenizer.json"), as: UTF8.self)
      .replacing("\"special\": true}], \"norm", with: "\"special\": true}, \(added)], \"norm")
      .replacing("\"lowercase\": true", with: "\"lowercase\": \(lowercase)")
    return try WordPiece(tokenizerJSON: Array(json.utf8))
  }

  @Test func areFoundAsTheReferenceFindsThem() throws {
    let lines = try Data(Fixture.bytes("added-tokens.jsonl")).jsonLines.map {
      try JSONDecoder().decode(Line.self, from: $0)
    }
    #expect(lines.count == 48 && lines.allSatisfy { $0.cases.count == 12 })
    for line in lines {
      let added = String(decoding: try JSONEncoder().encode(line.tokens), as: UTF8.self)
      let tokenizer = try Self.tokenizer(
        String(added.dropFirst().dropLast()), lowercase: line.lowercase)
      let name = line.tokens.map { "\($0)" }.joined(separator: "; ")
      for item in line.cases {
        let encoding =
          item.words.map { tokenizer.encode(words: $0) } ?? tokenizer.encode(item.text ?? "")
        let what = "\(name), lowercase \(line.lowercase): \(item.text ?? "\(item.words ?? [])")"
        #expect(encoding.ids == item.ids, "\(what)")
        #expect(encoding.spans.map { [$0.start, $0.end] } == item.offsets, "\(what)")
      }
      checkTails(line.cases.compactMap(\.text).joined(), tokenizer, name)
    }
  }

  /// The last tokens are those that stay when all are read and the first are let go.
  private func checkTails(_ text: String, _ tokenizer: WordPiece, _ name: String) {
    let text = String(repeating: text + " sat \u{301}x ", count: 8)
    let whole = tokenizer.encode(text, addSpecialTokens: false)
    for most in [0, 1, 2, 5, 17, 40] {
      let tail = tokenizer.tail(text, most: most) {}
      #expect(tail.ids == Array(whole.ids.suffix(most)), "\(name): last \(most)")
      #expect(tail.spans == Array(whole.spans.suffix(most)), "\(name): last \(most)")
    }
  }

  private static let mixed = """
    {"id": 900, "content": "<e>", "rstrip": true}, {"id": 901, "content": "New", "single_word": true},
    {"id": 902, "content": "Aa b", "normalized": true},
    {"id": 903, "content": "abab", "normalized": true, "single_word": true},
    {"id": 904, "content": "東京", "normalized": true}
    """

  private func mixed() throws -> WordPiece {
    let size = try WordPiece(tokenizerJSON: Fixture.bytes("wordpiece.tokenizer.json"))
      .vocabularySize
    return try Self.tokenizer(
      (0..<5).reduce(Self.mixed) {
        $0.replacing("\"id\": \(900 + $1)", with: "\"id\": \(size + $1)")
      })
  }

  /// A text may end anywhere, also inside what may become a token.
  @Test func fuzzedTextsAreTheSameReadInStretches() throws {
    let tokenizer = try mixed()
    let parts = [
      "<e>", " ", "New", "aa b", "Aa", "ab", "abab", "a", "東", "東京", "e\u{301}", "-", "x",
    ]
    Fuzz.run { generator, seed in
      var text = (0..<Int.random(in: 0..<40, using: &generator)).map { _ in
        parts.randomElement(using: &generator) ?? ""
      }.joined()
      if Bool.random(using: &generator) {
        var bytes = Array(text.utf8)
        generator.mutate(&bytes)
        text = String(decoding: bytes, as: UTF8.self)
      }
      let whole = tokenizer.encode(text, addSpecialTokens: false)
      var reader = tokenizer.reader(text)
      let step = Int.random(in: 1...9, using: &generator)
      while !reader.isAtEnd { reader.read(past: 1 << 30, bytes: step) {} }
      #expect(reader.writer.ids == whole.ids && reader.writer.spans == whole.spans, "seed \(seed)")
    }
  }

  /// What waits for its end is bounded by the tokens, not by the text.
  @Test func aLongTextOfHalfTokensIsReadInStretches() throws {
    let tokenizer = try mixed()
    let text =
      String(repeating: "aba", count: 20_000) + " New" + String(repeating: "aa ", count: 9000)
    #expect(tokenizer.encode(text, maxLength: 16).isTruncated)
    #expect(tokenizer.encode(text, addSpecialTokens: false).ids.count > 9000)
  }

  @Test func areRefusedWhereTheyCannotBeFoundAsMeant() throws {
    let size = try WordPiece(tokenizerJSON: Fixture.bytes("wordpiece.tokenizer.json"))
      .vocabularySize
    func refusal(_ tokens: String) -> String {
      let error = #expect(throws: WordPieceError.self) { try Self.tokenizer(tokens) }
      return error?.description ?? ""
    }
    func token(_ offset: Int, _ content: String, _ more: String = "") -> String {
      "{\"id\": \(size + offset), \"content\": \"\(content)\"\(more)}"
    }
    let normalized = ", \"normalized\": true"
    #expect(refusal(token(0, "Foo", normalized + ", \"lstrip\": true")).contains("\"Foo\""))
    #expect(
      refusal(token(0, "Foo", normalized) + ", " + token(1, "foo", normalized))
        .contains("is another added token"))
    #expect(refusal(token(0, "\u{301}", normalized)).contains("has 0 characters"))
    #expect(
      refusal(token(0, String(repeating: "a", count: 1001), normalized)).contains("1001 characters")
    )
    #expect(refusal(token(0, "the")).contains("\"the\" has the id of another token"))
    #expect(refusal(token(0, "Foo", ", \"single_word\": 1")).contains("single_word is 1, not true"))
    #expect(refusal(token(3, "Foo")).contains("no token with id \(size)"))
    // Words are not split into it.
    let tokenizer = try Self.tokenizer(token(0, "the mat", ", \"single_word\": true"))
    #expect(tokenizer.id(of: "the mat") == Int32(size))
    let apart = try Self.tokenizer(token(0, "sats", ", \"single_word\": true"))
    #expect(apart.encode("sats", addSpecialTokens: false).ids == [Int32(size)])
    #expect(!apart.encode("satsx", addSpecialTokens: false).ids.contains(Int32(size)))
  }
}
