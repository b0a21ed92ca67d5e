import Foundation
import TestSupport
import Testing

@testable import Model

/// Small golden lines of the reference library, made by Fixtures/make_wordpiece_fixtures.py.
@Suite struct WordPieceFixtureTests {
  private struct Line: Decodable {
    var lowercase: Bool
    var stripAccents: Bool?
    var chinese: Bool
    var text: String?
    var pair: String?
    var texts: [String]?
    var maxLength: Int?
    var ids: [Int32]
    var typeIDs: [Int32]
    var offsets: [[Int32]]
    var words: [Int32]?

    func encode(with tokenizer: WordPiece) -> Encoding {
      texts.map { tokenizer.encode(words: $0, maxLength: maxLength) }
        ?? tokenizer.encode(text ?? "", pair: pair, maxLength: maxLength)
    }

    func equals(_ encoding: Encoding) -> Bool {
      encoding.ids == ids && encoding.typeIDs == typeIDs && encoding.words == words ?? []
        && encoding.spans.map { [$0.start, $0.end] } == offsets
    }
  }

  private let lines: [Line]

  init() throws {
    lines = try Data(Fixture.bytes("wordpiece.jsonl")).jsonLines.map {
      try JSONDecoder().decode(Line.self, from: $0)
    }
    #expect(lines.count == 240)
  }

  @Test func equalsTheReferenceWhateverTheOptions() throws {
    let vocabulary = try Fixture.bytes("wordpiece.vocab.txt")
    for line in lines {
      let tokenizer = try WordPiece(
        vocabulary: vocabulary, lowercase: line.lowercase, stripAccents: line.stripAccents,
        handleChineseCharacters: line.chinese)
      #expect(line.equals(line.encode(with: tokenizer)), "\(line)")
    }
  }

  @Test func tokenizerJSONGivesTheSame() throws {
    let tokenizer = try WordPiece(tokenizerJSON: Fixture.bytes("wordpiece.tokenizer.json"))
    for line in lines where line.lowercase && line.stripAccents == nil && line.chinese {
      #expect(line.equals(line.encode(with: tokenizer)), "\(line)")
    }
  }

  @Test func withoutSpecialTokensTheRestIsTheSame() throws {
    let tokenizer = try WordPiece(vocabulary: Fixture.bytes("wordpiece.vocab.txt"))
    let bare = tokenizer.encode("cats sat", pair: "the mat", addSpecialTokens: false)
    let full = tokenizer.encode("cats sat", pair: "the mat")
    let kept = full.ids.indices.filter { !full.isAdded($0) }
    #expect(bare.ids == kept.map { full.ids[$0] })
    #expect(bare.typeIDs == kept.map { full.typeIDs[$0] })
    #expect(full.count == bare.count + 3)
  }

  @Test func saysWhetherSomethingWasCut() throws {
    let tokenizer = try WordPiece(vocabulary: Fixture.bytes("wordpiece.vocab.txt"))
    #expect(!tokenizer.encode("the cat sat", maxLength: 5).isTruncated)
    #expect(tokenizer.encode("the cat sat", maxLength: 4).isTruncated)
    #expect(tokenizer.encode("the cat", pair: "sat", maxLength: 5).isTruncated)
    #expect(tokenizer.encode(words: ["the", "cat"], maxLength: 3).isTruncated)
    // Fewer than the added tokens: as many as these.
    #expect(tokenizer.encode("the cat", maxLength: 0).count == 2)
  }

  @Test func truncationEqualsTakingOneAtATime() {
    for first in 0..<12 {
      for second in 0..<12 {
        for room in 0..<24 {
          var naive = (first, second)
          while naive.0 + naive.1 > room {
            // Equally long now: the one that was longer gives last.
            let fromFirst = naive.0 == naive.1 ? first <= second : naive.0 > naive.1
            if fromFirst { naive.0 -= 1 } else { naive.1 -= 1 }
          }
          let kept = longestFirst(first, second, room: room)
          #expect(kept == naive, "\(first) and \(second) in \(room)")
        }
      }
    }
  }
}
