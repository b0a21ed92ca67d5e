internal import CSIMD
package import Compute

extension CPUBackend {
  package func applyBottlenecks(
    _ x: Tensor, groups: any PlacedGroups, layer: Int, site: AdapterSite
  ) throws(ComputeError) {
    let place = CPUAdapter.Place(layer: layer, site: site)
    collect(own(groups)) { $0.bottlenecks[place].map { ($0.first, $0.second) } }
    if unsafe tasks.isEmpty { return }
    unsafe precondition(
      tasks.allSatisfy { unsafe $0.second.outputs == x.columns && fits($0, rows: x.rows) })
    unsafe try check(csimd_bottlenecks(context, tasks, tasks.count, x.floats, x.stride))
  }

  package func addLowRanks(
    _ x: Tensor, groups: any PlacedGroups, layer: Int, target: LowRankTarget, into out: Tensor
  ) throws(ComputeError) {
    let place = CPUAdapter.Target(layer: layer, target: target)
    collect(own(groups)) { $0.lowRanks[place].map { ($0.first, $0.second) } }
    if unsafe tasks.isEmpty { return }
    unsafe precondition(
      tasks.allSatisfy {
        unsafe $0.first.inputs == x.columns && $0.second.outputs == out.columns
          && fits($0, rows: min(x.rows, out.rows))
      })
    unsafe try check(
      csimd_low_ranks(
        context, tasks, tasks.count, x.floats, x.stride, out.floats, out.stride))
  }

  package func applyHeads(
    _ x: Tensor, groups: any PlacedGroups, into out: Tensor
  ) throws(ComputeError) {
    collect(own(groups)) { $0.head.map { ($0, nil) } }
    if unsafe tasks.isEmpty { return }
    unsafe precondition(
      tasks.allSatisfy {
        unsafe $0.first.inputs == x.columns && $0.first.outputs <= out.columns
          && fits($0, rows: min(x.rows, out.rows))
      })
    unsafe try check(
      csimd_heads(context, tasks, tasks.count, x.floats, x.stride, out.floats, out.stride))
  }

  /// Fills `tasks` with those pieces whose adapter has what is asked for; the matrices are held by the
  /// groups.
  private func collect(
    _ groups: CPUGroups, _ maps: (CPUAdapter) -> (first: PackedMatrix, second: PackedMatrix?)?
  ) {
    unsafe tasks.removeAll(keepingCapacity: true)
    for piece in groups.pieces {
      guard let (first, second) = maps(piece.adapter) else { continue }
      unsafe tasks.append(
        csimd_group(
          row: piece.rows.lowerBound, rows: piece.rows.count, first: first.view,
          second: second?.view ?? csimd_matrix()))
    }
  }

  private func fits(_ group: csimd_group, rows: Int) -> Bool {
    unsafe group.row >= 0 && group.row + group.rows <= rows
  }
}
