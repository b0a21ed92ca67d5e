/// The shape of a packed batch: sequence i owns rows offsets[i] ..< offsets[i + 1]; no padding.
package struct SequenceLayout: Sendable, Equatable {
  /// Sequences + 1 row numbers, ascending from 0; sequences are never empty.
  package let offsets: [Int32]

  package init(offsets: [Int32]) {
    precondition(offsets.first == 0 && zip(offsets, offsets.dropFirst()).allSatisfy { $0 < $1 })
    self.offsets = offsets
  }

  package init(lengths: some Sequence<Int>) {
    var offsets: [Int32] = [0]
    var end: Int32 = 0
    for length in lengths {
      end += Int32(length)
      offsets.append(end)
    }
    self.init(offsets: offsets)
  }

  package var count: Int { offsets.count - 1 }
  package var rows: Int { Int(offsets[offsets.count - 1]) }
  package func rows(of sequence: Int) -> Range<Int> {
    Int(offsets[sequence])..<Int(offsets[sequence + 1])
  }
  package var longest: Int {
    var longest = 0
    for i in 0..<count { longest = max(longest, Int(offsets[i + 1] - offsets[i])) }
    return longest
  }
}

/// A layout where the device can read it; made once a batch by `Backend.place`.
package protocol PlacedSequences: AnyObject, Sendable {
  var layout: SequenceLayout { get }
}

/// Contiguous rows that share a vBERT; nil leaves the rows as the base made them.
package struct RowGroup: Sendable {
  package let rows: Range<Int>
  package let adapter: (any ResidentAdapter)?

  package init(rows: Range<Int>, adapter: (any ResidentAdapter)?) {
    self.rows = rows
    self.adapter = adapter
  }
}

/// Row groups where the device can read them; made once a batch by `Backend.place`, used by every
/// layer. Holds its adapters, so that none is freed under a running batch.
package protocol PlacedGroups: AnyObject, Sendable {
  var groups: [RowGroup] { get }
  /// Whether any group's adapter has a LoRA there; false spares the caller the operation.
  func hasLowRank(layer: Int, target: LowRankTarget) -> Bool
}
