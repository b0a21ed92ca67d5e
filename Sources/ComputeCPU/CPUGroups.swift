internal import CSIMD
internal import Compute

/// A batch's row groups, cut into pieces of useful sizes; what an adapter step does to them is put
/// together when it comes, in memory that its backend keeps.
final class CPUGroups: PlacedGroups {
  struct Piece {
    let rows: Range<Int>
    let adapter: CPUAdapter
  }
  let groups: [RowGroup]
  let pieces: [Piece]
  private let hasLowRanks: Bool

  /// Most rows of a task; fewer when the batch is small, so that every thread has some.
  private static let rowsPerTask = 56
  private static let fewestRows = 8

  init(_ groups: [RowGroup], threads: Int) {
    self.groups = groups
    let rows = groups.reduce(0) { $0 + $1.rows.count }
    let most = min(Self.rowsPerTask, max(Self.fewestRows, rows / (2 * threads)))
    var (pieces, hasLowRanks): ([Piece], Bool) = ([], false)
    pieces.reserveCapacity(groups.reduce(0) { $0 + ($1.rows.count + most - 1) / most })
    for group in groups {
      guard let adapter = group.adapter else { continue }
      guard let adapter = adapter as? CPUAdapter else {
        preconditionFailure("an adapter of another backend")
      }
      hasLowRanks = hasLowRanks || !adapter.lowRanks.isEmpty
      let count = (group.rows.count + most - 1) / most
      for i in 0..<count {
        let from = group.rows.lowerBound + group.rows.count * i / count
        let to = group.rows.lowerBound + group.rows.count * (i + 1) / count
        pieces.append(Piece(rows: from..<to, adapter: adapter))
      }
    }
    (self.pieces, self.hasLowRanks) = (pieces, hasLowRanks)
  }

  func hasLowRank(layer: Int, target: LowRankTarget) -> Bool {
    guard hasLowRanks else { return false }
    let place = CPUAdapter.Target(layer: layer, target: target)
    return pieces.contains { $0.adapter.lowRanks[place] != nil }
  }
}
