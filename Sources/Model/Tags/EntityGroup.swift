/// What a tagger says of one word.
package struct WordTag: Sendable, Equatable {
  package let label: String
  /// Probability.
  package let score: Float
  /// Code points in the text, start ..< end.
  package let span: Range<Int>

  package init(label: String, score: Float, span: Range<Int>) {
    self.label = label
    self.score = score
    self.span = span
  }

  /// The likeliest of `probabilities`; a word without any (cut off, or nothing but control characters)
  /// is outside of everything.
  package init(_ probabilities: [Float], labels: [String], span: TextSpan) {
    let best = Readout.best(probabilities).flatMap { $0 < labels.count ? $0 : nil }
    label = best.map { labels[$0] } ?? "O"
    score = best.map { probabilities[$0] } ?? 0
    self.span = Int(span.start)..<Int(span.end)
  }
}

/// Words that are one entity.
package struct EntityGroup: Sendable, Equatable {
  /// Without marks.
  package let type: String
  /// Mean over the words.
  package let score: Float
  package let span: Range<Int>
  /// By number, from 0.
  package let words: Range<Int>

  /// The entities that the words' labels mark, as `scheme` reads them.
  package static func groups(of words: [WordTag], _ scheme: TagScheme) -> [EntityGroup] {
    scheme.spans(of: words.map(\.label)).map { entity in
      let own = words[entity.words]
      let (first, last) = (words[entity.words.lowerBound], words[entity.words.upperBound - 1])
      return EntityGroup(
        type: entity.type, score: own.reduce(0) { $0 + $1.score } / Float(own.count),
        span: first.span.lowerBound..<last.span.upperBound, words: entity.words)
    }
  }
}
