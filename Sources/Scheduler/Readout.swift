internal import Foundation

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

/// Neighbouring words of one entity.
package struct EntityGroup: Sendable, Equatable {
  /// The label without its B- or I-.
  package let type: String
  /// Mean over the words.
  package let score: Float
  package let span: Range<Int>

  /// Entities as BIO tags mark them: one begins at B-, at I- after anything of another type, and
  /// ends before O.
  package static func groups(of words: [WordTag]) -> [EntityGroup] {
    var groups: [EntityGroup] = []
    var open: [WordTag] = []
    var type = ""
    func close() {
      guard let first = open.first, let last = open.last else { return }
      let score = open.reduce(0) { $0 + $1.score } / Float(open.count)
      groups.append(
        EntityGroup(
          type: type, score: score, span: first.span.lowerBound..<last.span.upperBound))
      open = []
    }
    for word in words {
      let label = word.label
      if label == "O" {
        close()
        continue
      }
      let isMarked = label.hasPrefix("B-") || label.hasPrefix("I-")
      let this = isMarked ? String(label.dropFirst(2)) : label
      if label.hasPrefix("B-") || this != type { close() }
      type = this
      open.append(word)
    }
    close()
    return groups
  }
}
