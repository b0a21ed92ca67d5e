package import Compute

/// Token sequences packed end to end: flat ids and offsets, no padding.
package struct PackedBatch: Sendable {
  /// [rows].
  package private(set) var ids = Indices()
  /// [rows], the segment of each token.
  package private(set) var types = Indices()
  package let layout: SequenceLayout

  package init(sequences: [TokenSequence]) {
    layout = SequenceLayout(lengths: sequences.map(\.count))
    ids.reserve(layout.rows)
    types.reserve(layout.rows)
    for sequence in sequences {
      ids += sequence.ids
      types += sequence.types
    }
  }

  /// Throws `TokenProblem` unless a model of this shape can read every sequence.
  package init(
    _ sequences: [(ids: [Int32], types: [Int32])], for model: Configuration
  ) throws(TokenProblem) {
    var checked: [TokenSequence] = []
    for (ids, types) in sequences {
      checked.append(try TokenSequence(ids: ids, types: types, for: model))
    }
    self.init(sequences: checked)
  }

  /// [rows], each token's place in its sequence.
  package var positions: Indices { Indices(places: layout) }

  /// [rows], each token's n-gram.
  package var grams: [NGram] {
    var grams: [NGram] = []
    grams.reserveCapacity(ids.count)
    for i in 0..<layout.count { NGram.append(of: ids.values[layout.rows(of: i)], to: &grams) }
    return grams
  }
}
