import Foundation
import TestSupport
import Testing

@testable import Model

/// Every golden line, to the id and to the code point.
@Suite(
  .enabled(if: Shared.exists, "\("\(Shared.missing)")"),
  .enabled(if: MiniLM.exists, "\("\(MiniLM.missing)")"))
struct WordPieceGoldenTests {
  private struct Line: Decodable {
    var kind: String?
    var text: String
    var text_pair: String?
    var ids: [Int32]
    var type_ids: [Int32]?
    var offsets: [[Int32]]
    var unicode_version: Bool?
  }

  private struct WordsLine: Decodable {
    var tokens: [String]
    var ids: [Int32]
    var word_ids: [Int32?]
  }

  private let tokenizer: WordPiece

  init() throws { tokenizer = try WordPiece(vocabulary: [UInt8](MiniLM.bytes("vocab.txt"))) }

  @Test(arguments: [
    ("tokenizer", 2928, nil), ("tokenizer_pairs", 300, nil), ("tokenizer_truncated", 100, 128),
  ])
  func equalsTheReference(file: String, count: Int, maxLength: Int?) throws {
    let lines = try Shared.lines("golden/\(file).jsonl.gz")
    #expect(lines.count == count)
    var byVersion = 0
    for json in lines {
      let line = try JSONDecoder().decode(Line.self, from: json)
      let encoding = tokenizer.encode(line.text, pair: line.text_pair, maxLength: maxLength)
      let equal =
        encoding.ids == line.ids
        && encoding.typeIDs == line.type_ids ?? line.ids.map { _ in 0 }
        && encoding.spans.map { [$0.start, $0.end] } == line.offsets
      if !equal, line.unicode_version == true {
        byVersion += 1
        print("differs by Unicode version: \(line.text.debugDescription)")
      } else {
        #expect(equal, "\(line.kind ?? file): \(line.text.debugDescription)")
      }
    }
    #expect(byVersion == 0)
  }

  @Test func wordsEqualTheReference() throws {
    for json in try Shared.lines("golden/tagging_alignment.jsonl.gz") {
      let line = try JSONDecoder().decode(WordsLine.self, from: json)
      let encoding = tokenizer.encode(words: line.tokens, maxLength: 128)
      #expect(encoding.ids == line.ids)
      #expect(encoding.words == line.word_ids.map { $0 ?? -1 })
    }
  }
}
