package import Compute

extension CUDABackend {
  package func attentionBackward(
    _ d: Tensor, qkv: Tensor, sequences: any PlacedSequences, heads: Int, bias: AttentionBias?,
    into dqkv: Tensor
  ) throws(ComputeError) {
    let (placed, width) = (placed(sequences), d.columns / heads)
    precondition(qkv.columns == 3 * d.columns && dqkv.columns == 3 * d.columns)
    precondition(placed.layout.rows == d.rows && qkv.rows == d.rows && dqkv.rows == d.rows)
    precondition(bias?.gradient.map { $0.isContiguous && $0.count == bias?.values.count } ?? true)
    guard width % 8 == 0, width <= 64 else {
      throw .unsupported("attention heads of \(width) columns; multiples of 8 to 64 are")
    }
    guard [d, qkv, dqkv].allSatisfy({ $0.type == .bfloat16 }) else {
      throw .unsupported("attention's gradient on other than bf16 states")
    }
    try check(bias?.values, heads: heads, longest: placed.layout.longest)
    if placed.taskCount > 0 {
      try tileGradients(d, qkv: qkv, placed, heads: heads, bias: bias, into: dqkv)
    }
    if placed.windowCount > 0 {
      try windowGradients(d, qkv: qkv, placed, heads: heads, bias: bias, into: dqkv)
    }
  }

  /// Of sequences longer than a window.
  private func tileGradients(
    _ d: Tensor, qkv: Tensor, _ placed: CUDASequences, heads: Int, bias: AttentionBias?,
    into dqkv: Tensor
  ) throws(ComputeError) {
    let width = d.columns / heads
    let defines = ["HEAD=\(width)"] + (bias == nil ? [] : ["BIAS=1"])
    // A pair of floats a row and head.
    let statistics = try buffers.take(8 * d.rows * heads)
    let arguments: [Argument] =
      [
        .tensor(qkv), .int(qkv.stride), .int(d.columns), .tensor(d), .int(d.stride),
        .address(placed.tasks.address), .int(heads), .float(1 / Float(width).squareRoot()),
        .tensor(dqkv), .int(dqkv.stride), .address(statistics.address),
      ] + biasArguments(bias?.values)
    // Sums of a block's diagonals: from its last query on the first key to its first on the last.
    let longest = placed.layout.longest
    let pitch = (longest + 63) / 64 * 64 + 64
    let sums = try bias?.gradient.map { _ throws(ComputeError) in
      try buffers.take(4 * pitch * placed.taskCount * heads)
    }
    for name in ["queryGradients", "keyGradients"] {
      let more: [Argument] =
        bias == nil || name == "keyGradients" ? [] : [.address(sums?.address ?? 0), .int(pitch)]
      try launch(
        device.kernel(name, in: "attentionBackward.cu", defines),
        grid: (placed.taskCount * heads, 1), block: 128, arguments + more)
    }
    guard let sums, let gradient = bias?.gradient else { return }
    try launch(
      device.kernel("addBiasGradients", in: "attentionBackward.cu", defines),
      grid: ((2 * longest - 1) * heads, 1), block: 256,
      [
        .address(sums.address), .int(pitch), .address(placed.tasks.address),
        .int(placed.taskCount), .int(heads), .tensor(gradient), .int(gradient.columns),
        .int(longest - 1),
      ])
  }

  /// Of sequences of at most three tokens.
  private func windowGradients(
    _ d: Tensor, qkv: Tensor, _ placed: CUDASequences, heads: Int, bias: AttentionBias?,
    into dqkv: Tensor
  ) throws(ComputeError) {
    let width = d.columns / heads
    let define = bias == nil ? [] : ["BIAS=1"]
    let blocks = windowBlocks(placed, heads: heads, width: width)
    let sums = try bias?.gradient.map { _ throws(ComputeError) in
      try buffers.take(4 * 5 * heads * blocks)
    }
    let more: [Argument] = bias == nil ? [] : [.address(sums?.address ?? 0)]
    try launch(
      windowKernel("windowAttentionBackward", width: width, define), grid: (blocks, 1), block: 256,
      [
        .tensor(d), .int(d.stride), .tensor(qkv), .int(qkv.stride), .int(d.columns),
        .address(placed.windows.address), .int(placed.windowCount), .int(heads),
        .float(1 / Float(width).squareRoot()), .tensor(dqkv), .int(dqkv.stride),
      ] + biasArguments(bias?.values) + more)
    guard let sums, let gradient = bias?.gradient else { return }
    try launch(
      windowKernel("addWindowBiasGradients", width: width, define), grid: (5 * heads, 1),
      block: 256,
      [.address(sums.address), .int(blocks), .tensor(gradient), .int(gradient.columns)])
  }
}
