internal import CSIMD
package import Compute

extension CPUBackend {
  package func applyBottlenecks(
    _ x: Tensor, groups: any PlacedGroups, layer: Int, site: AdapterSite
  ) throws(ComputeError) {
    let place = CPUAdapter.Place(layer: layer, site: site)
    guard let tasks = unsafe own(groups).bottlenecks[place] else { return }
    unsafe precondition(
      tasks.allSatisfy { unsafe $0.second.outputs == x.columns && fits($0, rows: x.rows) })
    unsafe try check(csimd_bottlenecks(context, tasks, tasks.count, x.floats, x.stride))
  }

  package func addLowRanks(
    _ x: Tensor, groups: any PlacedGroups, layer: Int, target: LowRankTarget, into out: Tensor
  ) throws(ComputeError) {
    let place = CPUAdapter.Target(layer: layer, target: target)
    guard let tasks = unsafe own(groups).lowRanks[place] else { return }
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
    let tasks = own(groups).heads
    if unsafe tasks.isEmpty { return }
    unsafe precondition(
      tasks.allSatisfy {
        unsafe $0.first.inputs == x.columns && $0.first.outputs <= out.columns
          && fits($0, rows: min(x.rows, out.rows))
      })
    unsafe try check(
      csimd_heads(context, tasks, tasks.count, x.floats, x.stride, out.floats, out.stride))
  }

  private func fits(_ group: csimd_group, rows: Int) -> Bool {
    unsafe group.row >= 0 && group.row + group.rows <= rows
  }
}
