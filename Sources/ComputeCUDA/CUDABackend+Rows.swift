internal import CCUDA
package import Compute

extension CUDABackend {
  package func gatherSum(_ table: Tensor, indices: [Int32], terms: Int, into out: Tensor)
    throws(ComputeError)
  {
    precondition(indices.count == out.rows * terms && table.columns == out.columns)
    precondition(table.isContiguous && out.isContiguous)
    let list = try self.table(indices)
    try launch(
      kernel("gatherSum", in: "gather.cu", table, out),
      grid: ((out.rows * ((out.columns + 7) / 8) + 255) / 256, 1), block: 256,
      [
        .tensor(table), .address(list.address), .int(terms), .int(out.columns), .tensor(out),
        .int(out.rows),
      ])
  }

  package func scatterAdd(_ d: Tensor, indices: [Int32], terms: Int, to table: Tensor)
    throws(ComputeError)
  {
    precondition(indices.count == d.rows * terms && table.columns == d.columns)
    precondition(d.isContiguous && table.isContiguous)
    let plan = ScatterPlan(indices, terms: terms, tableRows: table.rows)
    guard !plan.levels.isEmpty else { return }
    let list = try self.table(plan.list)
    let chunks = try self.table(plan.chunks)
    let partials = try buffers.take(4 * max(1, plan.partials) * d.columns)
    let sums = Tensor(address: partials.address, rows: max(1, plan.partials), columns: d.columns)
    for (number, level) in plan.levels.enumerated() {
      let source = number == 0 ? d : sums
      try launch(
        kernel("scatterSum", in: "gather.cu", source, table),
        grid: ((level.count * ((d.columns + 7) / 8) + 255) / 256, 1), block: 256,
        [
          .tensor(source), .address(number == 0 ? list.address : 0),
          .address(chunks.address + UInt(level.lowerBound * MemoryLayout<ccuda_chunk>.stride)),
          .int(level.count), .int(d.columns), .address(partials.address), .tensor(table),
        ])
    }
  }
}

/// How rows are added up by target without two writers of one place (CCUDA/scatter.c).
struct ScatterPlan {
  let list: [Int32]
  let chunks: [ccuda_chunk]
  /// Which chunks each level runs; a level reads what those before left.
  let levels: [Range<Int>]
  /// Partial sums, in rows.
  let partials: Int

  init(_ indices: [Int32], terms: Int, tableRows: Int) {
    let count = indices.count
    precondition(indices.allSatisfy { $0 < tableRows })
    var ends = [Int32](repeating: 0, count: tableRows)
    var list = [Int32](repeating: 0, count: count)
    var runs = [ccuda_chunk](repeating: ccuda_chunk(), count: min(count, tableRows))
    var levelEnds = [Int](repeating: 0, count: Int(ccuda_scatter_levels))
    var partials: Int32 = 0
    var levels = 0
    let chunks = unsafe [ccuda_chunk](unsafeUninitializedCapacity: count + count / 32 + 8) {
      buffer, made in
      levels = unsafe ccuda_plan_scatter(
        indices, count, Int32(terms), Int32(tableRows), &ends, &list, &runs, buffer.baseAddress,
        &levelEnds, &partials)
      made = levels == 0 ? 0 : levelEnds[levels - 1]
    }
    self.chunks = chunks
    self.list = list
    self.partials = Int(partials)
    self.levels = (0..<levels).map { ($0 == 0 ? 0 : levelEnds[$0 - 1])..<levelEnds[$0] }
  }
}
