internal import CSIMD
internal import Compute

/// A batch's row groups, with every adapter step's tasks made once for all layers.
@safe final class CPUGroups: PlacedGroups {
  let groups: [RowGroup]
  /// Tasks by what they apply; the matrices that they point into are held by `groups`.
  @safe nonisolated(unsafe) private(set) var bottlenecks: [CPUAdapter.Place: [csimd_group]] =
    unsafe [:]
  @safe nonisolated(unsafe) private(set) var lowRanks: [CPUAdapter.Target: [csimd_group]] =
    unsafe [:]
  @safe nonisolated(unsafe) private(set) var heads: [csimd_group] = unsafe []

  /// Most rows of a task; fewer when the batch is small, so that every thread has some.
  private static let rowsPerTask = 56
  private static let fewestRows = 8

  init(_ groups: [RowGroup], threads: Int) {
    self.groups = groups
    let rows = groups.reduce(0) { $0 + $1.rows.count }
    let most = min(Self.rowsPerTask, max(Self.fewestRows, rows / (2 * threads)))
    for group in groups {
      guard let adapter = group.adapter else { continue }
      guard let adapter = adapter as? CPUAdapter else {
        preconditionFailure("an adapter of another backend")
      }
      let pieces = (group.rows.count + most - 1) / most
      for i in 0..<pieces {
        let from = group.rows.count * i / pieces
        let to = group.rows.count * (i + 1) / pieces
        let first = group.rows.lowerBound
        add(adapter, rows: first + from..<first + to)
      }
    }
  }

  func hasLowRank(layer: Int, target: LowRankTarget) -> Bool {
    unsafe lowRanks[CPUAdapter.Target(layer: layer, target: target)] != nil
  }

  private func add(_ adapter: CPUAdapter, rows: Range<Int>) {
    for (place, pair) in adapter.bottlenecks {
      unsafe bottlenecks[place, default: []].append(Self.task(rows, pair.first, pair.second))
    }
    for (target, pair) in adapter.lowRanks {
      unsafe lowRanks[target, default: []].append(Self.task(rows, pair.first, pair.second))
    }
    if let head = adapter.head { unsafe heads.append(Self.task(rows, head, nil)) }
  }

  private static func task(
    _ rows: Range<Int>, _ first: PackedMatrix, _ second: PackedMatrix?
  ) -> csimd_group {
    unsafe csimd_group(
      row: rows.lowerBound, rows: rows.count, first: first.view,
      second: second?.view ?? csimd_matrix())
  }
}
