/// An input as its tokens, and for `words` and `running` as the words that were looked at.
package struct EncodedText: Sendable {
  package var encoding: Encoding
  /// Each with its place in the text; in given words joined by single spaces.
  package var words: [TextWord] = []
  /// Where the text begins that the words are of: in bytes and in code points.
  package var begin = (bytes: 0, points: 0)

  /// For each word the place of its first token; nil for one that has none, or has lost it.
  package var firstTokens: [Int?] { tokens.map(\.first) }

  /// For each word the places of its tokens. One that has lost the first of them is as one that has lost
  /// all: its tag is the first one's to say.
  package var tokens: [Range<Int>] {
    var places = [Range<Int>](repeating: 0..<0, count: words.count)
    for (place, word) in encoding.words.enumerated() where word >= 0 {
      let begun = places[Int(word)]
      places[Int(word)] = (begun.isEmpty ? place : begun.lowerBound)..<place + 1
    }
    if encoding.beginsInsideWord, let word = encoding.words.first(where: { $0 >= 0 }) {
      places[Int(word)] = 0..<0
    }
    return places
  }
}
