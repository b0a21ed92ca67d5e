/// Where a token lies in its text: [start, end) in code points (Unicode scalars).
package struct TextSpan: Sendable, Hashable {
  package var start: Int32
  package var end: Int32

  package init(start: Int32, end: Int32) {
    self.start = start
    self.end = end
  }

  package static let none = TextSpan(start: 0, end: 0)
}

/// A tokenised text, pair of texts, or list of words: one entry a token in every array.
package struct Encoding: Sendable, Hashable {
  package var ids: [Int32] = []
  /// The segment: 0, or 1 for the second text of a pair and the [SEP] that ends it.
  package var typeIDs: [Int32] = []
  /// In the segment's own text, or the word; `.none` for [CLS] and [SEP] that were added.
  package var spans: [TextSpan] = []
  /// The word that the token belongs to, -1 for added tokens; empty unless words were given.
  package var words: [Int32] = []
  /// Whether tokens were cut off to keep to the maximum length.
  package var isTruncated = false
  /// Whether the first of the words has lost its beginning, so that its first token is not there.
  package var beginsInsideWord = false

  package init() {}

  package var count: Int { ids.count }

  /// Whether the token was added ([CLS], [SEP]) rather than read from the text.
  package func isAdded(_ index: Int) -> Bool { spans[index] == .none }
}
