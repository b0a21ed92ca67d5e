internal import Foundation
package import Model

/// From a head's outputs to what is answered.
package enum Readout {
  /// exp(x) / sum exp(x), in a way that does not overflow.
  package static func softmax(_ logits: [Float]) -> [Float] {
    guard let top = logits.max() else { return [] }
    var values = logits.map { exp($0 - top) }
    let sum = values.reduce(0, +)
    for i in values.indices { values[i] /= sum }
    return values
  }

  /// 1 / (1 + exp(-x)).
  package static func sigmoids(_ logits: [Float]) -> [Float] {
    logits.map { $0 >= 0 ? 1 / (1 + exp(-$0)) : exp($0) / (1 + exp($0)) }
  }

  /// The place of the largest, the first of equals; nil where there is none.
  package static func best(_ values: [Float]) -> Int? {
    values.indices.max { values[$0] < values[$1] || (values[$0] == values[$1] && $0 > $1) }
  }

  /// The first `dimensions` values, divided by their L2 norm if asked for; a vector of zeros stays.
  package static func embedding(
    _ vector: [Float], dimensions: Int? = nil, normalize: Bool = true
  ) -> [Float] {
    let cut = dimensions.map { Array(vector.prefix($0)) } ?? vector
    guard normalize else { return cut }
    let norm = cut.reduce(into: 0.0) { $0 += Double($1) * Double($1) }.squareRoot()
    return norm > 0 ? cut.map { Float(Double($0) / norm) } : cut
  }
}

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
