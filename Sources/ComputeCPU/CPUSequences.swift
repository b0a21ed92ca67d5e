internal import CSIMD
internal import Compute

/// A batch's layout, with attention's tasks cut to useful sizes.
final class CPUSequences: PlacedSequences {
  let layout: SequenceLayout
  let spans: [csimd_span]
  /// Each row's place in its sequence.
  let positions: [Int32]

  /// Rows of short sequences that make a task, and query rows of a long one.
  private static let rowsPerTask = 96
  private static let queriesPerTask = 224

  init(_ layout: SequenceLayout) {
    self.layout = layout
    var spans: [csimd_span] = []
    var positions: [Int32] = []
    positions.reserveCapacity(layout.rows)
    var first = 0
    for i in 0..<layout.count {
      let length = layout.rows(of: i).count
      positions.append(contentsOf: 0..<Int32(length))
      let rows = layout.rows(of: i).upperBound - layout.rows(of: first).lowerBound
      if i > first, rows > Self.rowsPerTask {
        spans.append(Self.span(first..<i, of: layout))
        first = i
      }
      if length > Self.queriesPerTask {
        for from in stride(from: 0, to: length, by: Self.queriesPerTask) {
          spans.append(
            csimd_span(
              first: Int32(i), end: Int32(i + 1), from: Int32(from),
              to: Int32(min(length, from + Self.queriesPerTask))))
        }
        first = i + 1
      }
    }
    if first < layout.count { spans.append(Self.span(first..<layout.count, of: layout)) }
    self.spans = spans
    self.positions = positions
  }

  private static func span(_ sequences: Range<Int>, of layout: SequenceLayout) -> csimd_span {
    csimd_span(
      first: Int32(sequences.lowerBound), end: Int32(sequences.upperBound), from: 0,
      to: Int32(layout.rows(of: sequences.lowerBound).count))
  }
}
