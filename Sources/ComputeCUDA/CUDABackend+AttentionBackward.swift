package import Compute

extension CUDABackend {
  package func attentionBackward(
    _ d: Tensor, qkv: Tensor, sequences: any PlacedSequences, heads: Int, into dqkv: Tensor
  ) throws(ComputeError) {
    let (placed, width) = (placed(sequences), d.columns / heads)
    precondition(qkv.columns == 3 * d.columns && dqkv.columns == 3 * d.columns)
    precondition(placed.layout.rows == d.rows && qkv.rows == d.rows && dqkv.rows == d.rows)
    guard width % 8 == 0, width <= 64 else {
      throw .unsupported("attention heads of \(width) columns; multiples of 8 to 64 are")
    }
    guard [d, qkv, dqkv].allSatisfy({ $0.type == .bfloat16 }) else {
      throw .unsupported("attention's gradient on other than bf16 states")
    }
    let scale = 1 / Float(width).squareRoot()
    if placed.taskCount > 0 {
      // A pair of floats a row and head.
      let statistics = try buffers.take(8 * d.rows * heads)
      for name in ["queryGradients", "keyGradients"] {
        try launch(
          device.kernel(name, in: "attentionBackward.cu", ["HEAD=\(width)"]),
          grid: (placed.taskCount * heads, 1), block: 128,
          [
            .tensor(qkv), .int(qkv.stride), .int(d.columns), .tensor(d), .int(d.stride),
            .address(placed.tasks.address), .int(heads), .float(scale), .tensor(dqkv),
            .int(dqkv.stride), .address(statistics.address),
          ])
      }
    }
    guard placed.windowCount > 0 else { return }
    try launch(
      windowKernel("windowAttentionBackward", width: width),
      grid: (windowBlocks(placed, heads: heads, width: width), 1), block: 256,
      [
        .tensor(d), .int(d.stride), .tensor(qkv), .int(qkv.stride), .int(d.columns),
        .address(placed.windows.address), .int(placed.windowCount), .int(heads), .float(scale),
        .tensor(dqkv), .int(dqkv.stride),
      ])
  }
}
