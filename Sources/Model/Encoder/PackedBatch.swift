package import Compute

/// Token sequences packed end to end: flat ids and offsets, no padding.
package struct PackedBatch: Sendable {
  /// [rows].
  package private(set) var ids: [Int32]
  /// [rows], the segment (0 or 1) of each token.
  package private(set) var types: [Int32]
  package let layout: SequenceLayout

  /// Sequences must not be empty; ids and types of one have the same length.
  package init(sequences: [(ids: [Int32], types: [Int32])]) {
    layout = SequenceLayout(lengths: sequences.map(\.ids.count))
    ids = []
    types = []
    ids.reserveCapacity(layout.rows)
    types.reserveCapacity(layout.rows)
    for sequence in sequences {
      precondition(sequence.ids.count == sequence.types.count)
      ids += sequence.ids
      types += sequence.types
    }
  }

  /// [rows], each token's place in its sequence.
  package var positions: [Int32] {
    var positions: [Int32] = []
    positions.reserveCapacity(ids.count)
    for i in 0..<layout.count { positions += 0..<Int32(layout.rows(of: i).count) }
    return positions
  }

  /// [rows], each token's n-gram.
  package var grams: [NGram] {
    var grams: [NGram] = []
    grams.reserveCapacity(ids.count)
    for i in 0..<layout.count { NGram.append(of: ids[layout.rows(of: i)], to: &grams) }
    return grams
  }
}
