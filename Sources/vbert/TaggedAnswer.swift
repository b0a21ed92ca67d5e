import Model

/// What a tagger says of a text, or of given words.
struct TaggedAnswer {
  /// An entity, with the members that /tag gives it; `start` and `end` are code points of the text, of
  /// given words those of the words joined by single spaces.
  struct Entity: Encodable {
    let entityGroup: String
    let score: Float
    let word: String
    let start: Int
    let end: Int
  }

  /// Of every word, as the labels were given.
  let tags: [String]
  let entities: [Entity]
  /// The words, each entity with its type behind it.
  let text: String

  /// `output`: the head's of all tokens.
  init(_ output: [Float], spec: VBertSpec, _ input: TextInput, _ encoded: EncodedText) {
    let count = spec.labels.count
    let tagged = zip(encoded.words, encoded.firstTokens).map { word, first in
      let logits = first.map { Array(output[$0 * count..<($0 + 1) * count]) } ?? []
      return WordTag(Readout.softmax(logits), labels: spec.labels, span: word.span)
    }
    tags = tagged.map(\.label)
    let groups = EntityGroup.groups(of: tagged, spec.tags)
    let window = TextWindow(input, encoded)
    entities = groups.map { group in
      Entity(
        entityGroup: group.type, score: group.score, word: window.text(group.span),
        start: group.span.lowerBound, end: group.span.upperBound)
    }
    text = Self.text(encoded.words.map(\.text), groups, window)
  }

  /// "[Petra Lindqvist]/PER lives in Oslo/LOC"
  private static func text(_ words: [String], _ groups: [EntityGroup], _ window: TextWindow)
    -> String
  {
    var parts: [String] = []
    var next = 0
    for group in groups {
      parts += words[next..<group.words.lowerBound]
      let own = window.text(group.span)
      parts.append((group.words.count == 1 ? own : "[\(own)]") + "/\(group.type)")
      next = group.words.upperBound
    }
    return (parts + words[next...]).joined(separator: " ")
  }
}
