internal import CSIMD
package import Compute

extension CPUBackend: RelationBackend {
  package func relationLoss(
    _ qkv: Tensor, targets: Tensor, relation: Relation, sequences: any PlacedSequences,
    heads: Int, share: Double, addingTo dqkv: Tensor, value: Tensor
  ) throws(ComputeError) {
    let (layout, hidden) = (sequences.layout, qkv.columns / 3)
    precondition(qkv.isContiguous && targets.isContiguous && dqkv.isContiguous)
    precondition(qkv.count == targets.count && qkv.count == dqkv.count)
    precondition(layout.rows == qkv.rows)
    let width = hidden / heads
    let (first, second) = relation == .scores ? (0, hidden) : (2 * hidden, 2 * hidden)
    // One sum a task, added up in their order: the same for any number of threads.
    let sums = SumList(count: layout.count * heads)
    parallel(tasks: layout.count * heads) { task, _ in
      let rows = layout.rows(of: task / heads)
      let column = task % heads * width
      let student = unsafe qkv.row(rows.lowerBound) + column
      let teacher = unsafe targets.row(rows.lowerBound) + column
      let gradient = unsafe dqkv.row(rows.lowerBound) + column
      unsafe sums.values[task] = csimd_relation_loss(
        Int64(rows.count), Int64(width), share, student + first, student + second,
        teacher + first, teacher + second, Int64(qkv.stride), gradient + first, gradient + second)
    }
    unsafe value.dense[0] += Float(sums.values.reduce(0, +))
  }
}

/// Where parallel tasks leave a number each.
@safe private final class SumList {
  let values: UnsafeMutableBufferPointer<Double>

  init(count: Int) {
    unsafe values = .allocate(capacity: count)
    unsafe values.initialize(repeating: 0)
  }

  deinit { unsafe values.deallocate() }
}
