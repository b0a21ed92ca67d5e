import Foundation
import TestSupport
import Testing

@testable import Model

/// What a bad vocabulary or tokenizer.json is answered with.
@Suite struct VocabularyTests {
  private let good = "[UNK]\n[CLS]\n[SEP]\na\n##b\n"

  private func failure(_ vocabulary: [UInt8]) -> WordPieceError? {
    #expect(throws: WordPieceError.self) { try WordPiece(vocabulary: vocabulary) }
  }

  private func failure(json: String) -> WordPieceError? {
    #expect(throws: WordPieceError.self) { try WordPiece(tokenizerJSON: Array(json.utf8)) }
  }

  @Test func readsLinesOfEitherEnding() throws {
    for text in [good, good + "\n\n", good.replacing("\n", with: "\r\n"), String(good.dropLast())] {
      let tokenizer = try WordPiece(vocabulary: Array(text.utf8))
      #expect(tokenizer.vocabularySize == 5)
      #expect(tokenizer.token(4) == "##b" && tokenizer.id(of: "##b") == 4)
      #expect(tokenizer.token(5) == nil && tokenizer.token(-1) == nil)
      #expect(tokenizer.id(of: "b") == nil)
      #expect(tokenizer.encode("ab").ids == [1, 3, 4, 2])
    }
  }

  @Test func equivalentTokensAreDifferentTokens() throws {
    let text = good + "\u{E9}\ne\u{301}\n"
    let tokenizer = try WordPiece(vocabulary: Array(text.utf8), lowercase: false)
    #expect(tokenizer.encode("\u{E9} e\u{301}", addSpecialTokens: false).ids == [5, 6])
  }

  @Test func refusesABadVocabulary() {
    #expect(failure([]) == .empty)
    #expect(failure(Array("\n\n".utf8)) == .empty)
    #expect(failure(Array((good + "a\n").utf8)) == .duplicate(token: "a", id: 5))
    #expect(failure(Array((good + "##b\n").utf8)) == .duplicate(token: "##b", id: 5))
    #expect(failure(Array((good + "\nc\n").utf8)) == .emptyToken(id: 5))
    #expect(failure(Array(good.utf8) + [0xC3, 0x0A]) == .invalidUTF8(id: 5))
    for token in ["[UNK]", "[CLS]", "[SEP]"] {
      #expect(failure(Array(good.replacing(token, with: "x").utf8)) == .missing(token: token))
    }
    let huge = [UInt8](repeating: UInt8(ascii: "a"), count: 2 * TokenTrie.byteLimit + 1)
    #expect(
      failure(huge) == .tooLarge(byteCount: huge.count, limit: 2 * TokenTrie.byteLimit))
  }

  @Test func refusesATokenizerFileOfAnotherKind() throws {
    let json = String(decoding: try Fixture.bytes("wordpiece.tokenizer.json"), as: UTF8.self)
    for (old, new) in [
      ("\"BertNormalizer\"", "\"NFC\""), ("\"BertPreTokenizer\"", "\"Whitespace\""),
      ("\"WordPiece\", \"unk", "\"BPE\", \"unk"), ("\"clean_text\": true", "\"clean_text\": false"),
      ("\"BertProcessing\"", "\"RobertaProcessing\""),
      ("\"continuing_subword_prefix\": \"##\"", "\"continuing_subword_prefix\": \"@@\""),
      ("\"max_input_chars_per_word\": 100", "\"max_input_chars_per_word\": 200"),
      ("\"id\": 4, ", "\"id\": 5, "),
    ] {
      #expect(json.contains(old), "\(old)")
      guard case .unsupported = failure(json: json.replacing(old, with: new)) else {
        Issue.record("\(new) was not refused as unsupported")
        continue
      }
    }
    #expect(failure(json: json.replacing("\"the\": 5", with: "\"the\": 5000")) == .gap(id: 5))
    for broken in [
      json.replacing("\"the\": 5", with: "\"the\": 6"),
      json.replacing("\"the\": 5", with: "\"the\": -5"), String(json.dropLast(3)), "", "[]",
      json.replacing("\"vocab\"", with: "\"words\""),
    ] {
      guard case .unreadable(let why) = failure(json: broken) else {
        Issue.record("a broken file was not refused as unreadable")
        continue
      }
      #expect(!why.contains("Error") && !why.contains("Debug"), "\(why)")
    }
    #expect(
      failure(json: json.replacing("\"id\": 4, ", with: "\"id\": \"4\", "))
        == .unreadable(
          "tokenizer.json: added_tokens[4].id is \"4\", not a whole number"))
  }

  /// A specification in a damaged registry may ask for any length.
  @Test func aLengthWithoutRoomIsThatOfTheSpecialTokens() throws {
    let tokenizer = try WordPiece(vocabulary: Array(good.utf8))
    for length in [Int.min, Int.min + 2, -1, 0, 1, 2] {
      #expect(tokenizer.encode("ab", maxLength: length).ids == [1, 2])
      #expect(tokenizer.encode("ab", pair: "a", maxLength: length).ids == [1, 2, 2])
      #expect(tokenizer.encode(words: ["ab"], maxLength: length).ids == [1, 2])
    }
    #expect(tokenizer.encode("ab", maxLength: 3).ids == [1, 3, 2])
    #expect(tokenizer.encode("ab", maxLength: .max).ids == [1, 3, 4, 2])
  }

  @Test func tokensAddedBehindTheVocabularyAreFoundInRawText() throws {
    var json = String(decoding: try Fixture.bytes("wordpiece.tokenizer.json"), as: UTF8.self)
    let size = try WordPiece(tokenizerJSON: Array(json.utf8)).vocabularySize
    json = json.replacing(
      "\"added_tokens\": [",
      with: "\"added_tokens\": [{\"id\": \(size), \"content\": \"The é\", \"normalized\": false}, ")
    let tokenizer = try WordPiece(tokenizerJSON: Array(json.utf8))
    let encoding = tokenizer.encode("the The é", addSpecialTokens: false)
    #expect(encoding.ids == [tokenizer.id(of: "the"), Int32(size)])
    #expect(encoding.spans.last == TextSpan(start: 4, end: 9))
  }

  @Test func directoryFilesTakeTheConfigurationsSettings() throws {
    let vocabulary = Array("[UNK]\n[CLS]\n[SEP]\na\nA\n".utf8)
    func ids(_ configuration: String?) throws -> [Int32] {
      try WordPiece(
        tokenizerJSON: nil, vocabulary: vocabulary,
        configuration: configuration.map { Array($0.utf8) }
      ).encode("A", addSpecialTokens: false).ids
    }
    #expect(try ids(nil) == [3])
    #expect(try ids("{\"do_lower_case\": false}") == [4])
    #expect(throws: WordPieceError.self) { try ids("{\"do_lower_case\": 3}") }
    #expect(throws: WordPieceError.self) {
      try WordPiece(tokenizerJSON: nil, vocabulary: nil, configuration: nil)
    }
  }

  @Test(.enabled(if: MiniLM.exists, "\(MiniLM.missing)"))
  func minilmsTwoFilesAreOneTokenizer() throws {
    let lines = try WordPiece(vocabulary: [UInt8](MiniLM.bytes("vocab.txt")))
    let file = try WordPiece(tokenizerJSON: [UInt8](MiniLM.bytes("tokenizer.json")))
    #expect(lines.vocabularySize == 30522 && file.vocabularySize == 30522)
    #expect((0..<30522).allSatisfy { lines.token($0) == file.token($0) })
    #expect(lines.options == file.options)
  }
}
