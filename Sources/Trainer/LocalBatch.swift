package import Compute
package import Manager
package import Model

/// What the local layers read of a batch: its distinct n-grams, and where each token finds its three
/// states among them. Made without a device, so that a thread beside the training step can.
package struct LocalBatch: Sendable {
  /// The distinct n-grams' tokens.
  let tokens: PackedNGrams
  /// [R x 3] rows of the local states that each token sums; -1 none.
  let merge: [Int32]

  /// `grams`: one a token, of ids below `vocabulary`, else `ComputeError.index` is thrown. `distinct`
  /// keeps its memory from batch to batch. O(tokens).
  package init(
    _ grams: [NGram], vocabulary: Int, layout: SequenceLayout, distinct: inout DistinctNGrams
  ) throws(ComputeError) {
    distinct.reset(most: grams.count)
    var numbers = [Int](repeating: 0, count: grams.count)
    for (token, gram) in grams.enumerated() { numbers[token] = distinct.insert(gram) }
    tokens = try PackedNGrams(distinct.grams[...], vocabulary: vocabulary)
    merge = LocalBatch.merge(numbers, layout: layout, tokens: tokens, grams: distinct.count)
  }

  package init(_ batch: PackedBatch) throws(ComputeError) {
    var distinct = DistinctNGrams()
    try self.init(
      batch.grams, vocabulary: batch.ids.bound, layout: batch.layout, distinct: &distinct)
  }

  /// Token t sums its own n-gram's centre, the next one's left and the previous one's right.
  private static func merge(
    _ numbers: [Int], layout: SequenceLayout, tokens: PackedNGrams, grams: Int
  ) -> [Int32] {
    var rows = [Int32](repeating: -1, count: 3 * grams)
    for (row, slot) in tokens.slots.enumerated() { rows[slot] = Int32(row) }
    var indices: [Int32] = []
    indices.reserveCapacity(3 * numbers.count)
    for i in 0..<layout.count {
      let range = layout.rows(of: i)
      for t in range {
        indices.append(rows[3 * numbers[t] + 1])
        indices.append(t + 1 < range.upperBound ? rows[3 * numbers[t + 1]] : -1)
        indices.append(t > range.lowerBound ? rows[3 * numbers[t - 1] + 2] : -1)
      }
    }
    return indices
  }
}
