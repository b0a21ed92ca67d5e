package import Compute

extension CUDABackend: RelationBackend {
  package func relationLoss(
    _ qkv: Tensor, targets: Tensor, relation: Relation, sequences: any PlacedSequences,
    heads: Int, share: Double, addingTo dqkv: Tensor, value: Tensor
  ) throws(ComputeError) {
    let (placed, hidden) = (placed(sequences), qkv.columns / 3)
    let width = hidden / heads
    precondition(qkv.count == targets.count && qkv.count == dqkv.count)
    precondition(placed.layout.rows == qkv.rows)
    guard width % 8 == 0, width <= 64 else {
      throw .unsupported("attention heads of \(width) columns; multiples of 8 to 64 are")
    }
    guard [qkv, targets, dqkv].allSatisfy({ $0.type == .bfloat16 && $0.isContiguous }) else {
      throw .unsupported("relations of other than contiguous bf16 states")
    }
    // Windows too, which have no tasks of attention.
    let list = CUDASequences.tasks(placed.layout, beyond: 0)
    let tasks = try table(list)
    let blocks = list.count / 3 * heads
    let partials = try buffers.take(8 * blocks)
    // With the values both sides are one: the second pass would give the first one's gradient again.
    let passes =
      relation == .scores
      ? [(own: 0, other: hidden), (own: hidden, other: 0)] : [(own: 2 * hidden, other: 2 * hidden)]
    for (number, pass) in passes.enumerated() {
      try launch(
        device.kernel("relation", in: "attentionBackward.cu", ["HEAD=\(width)"]),
        grid: (blocks, 1), block: 128,
        [
          .tensor(qkv), .tensor(targets), .int(qkv.stride), .address(tasks.address), .int(heads),
          .int(pass.own), .int(pass.other), .double(share / Double(width)),
          .float(relation == .scores ? 1 : 2), .tensor(dqkv),
          .address(number == 0 ? partials.address : 0),
        ])
    }
    try add(partials, count: blocks, to: value)
  }
}
