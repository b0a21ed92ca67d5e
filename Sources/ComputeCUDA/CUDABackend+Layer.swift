package import Compute

extension CUDABackend {
  package func matmul(_ x: Tensor, _ matrix: any Matrix, activation: Activation, into out: Tensor)
    throws(ComputeError)
  {
    guard let matrix = matrix as? CUDAMatrix else {
      preconditionFailure("another backend's matrix")
    }
    precondition(x.columns == matrix.inputs && out.columns == matrix.outputs)
    guard x.rows > 0 else { return }
    let fused = activation == .gelu && device.options.gelu == .fused
    try multiply(x, matrix, fused ? matrix.gelu : matrix.plain, adding: nil, into: out)
    if activation == .gelu, !fused { try applyGELU(out) }
  }

  private func multiply(
    _ x: Tensor, _ matrix: CUDAMatrix, _ operation: Products.Operation, adding addend: Tensor?,
    into out: Tensor
  ) throws(ComputeError) {
    device.enter()
    try device.products.multiply(
      Products.Call(
        operation: operation, weight: matrix.weight.address, x: x, addend: addend, out: out,
        workspace: productWorkspace, stream: stream), time: time)
  }

  /// Who adds the residual is a matter of the site alone, so that the bits are the same in every
  /// batch: behind attention the product does, while it has its sums in registers; behind the wide
  /// one LayerNorm does, which costs less there than what cuBLASLt asks for a third operand.
  package func matmulAddNorm(
    _ x: Tensor, _ matrix: any Matrix, residual: Tensor, norm: Normalization,
    groups: (any PlacedGroups)?, layer: Int, site: AdapterSite, into out: Tensor
  ) throws(ComputeError) {
    guard let matrix = matrix as? CUDAMatrix else {
      preconditionFailure("another backend's matrix")
    }
    precondition(residual.stride == out.stride && residual.columns == out.columns)
    guard x.rows > 0 else { return }
    guard site == .ffn else {
      try multiply(x, matrix, matrix.plain, adding: residual, into: out)
      return try normalise(out, norm: norm, groups: groups, layer: layer, site: site)
    }
    try multiply(x, matrix, matrix.plain, adding: nil, into: out)
    guard let groups else { return try addNorm(out, residual: residual, norm: norm, into: out) }
    try addNorm(
      out, residual: residual, norm: norm, groups: groups, layer: layer, site: site, into: out)
  }

  package func applyGELU(_ x: Tensor) throws(ComputeError) {
    guard x.columns % 8 == 0 else { throw .unsupported("GELU on \(x.columns) columns") }
    let kernel = try device.kernel("applyGELU", in: "elements.cu", [])
    let vectors = x.columns / 8
    try launch(
      kernel, grid: ((x.rows * vectors + 255) / 256, 1), block: 256,
      [.tensor(x), .int(x.stride), .int(vectors), .int(x.rows)])
  }

  package func attention(
    _ qkv: Tensor, sequences: any PlacedSequences, heads: Int, bias: Tensor?, into out: Tensor
  ) throws(ComputeError) {
    let width = out.columns / heads
    guard width % 8 == 0, width <= 64 else {
      throw .unsupported("attention heads of \(width) columns; multiples of 8 to 64 are")
    }
    let placed = placed(sequences)
    try check(bias, heads: heads, longest: placed.layout.longest)
    let (define, more) = (bias == nil ? [] : ["BIAS=1"], biasArguments(bias))
    // Hopper's kernel takes heads of the usual sizes; where sequences are long, 128 queries a block.
    let hopper = warpgroups > 0 && (width == 64 || width == 32)
    let wide = hopper ? placed.wideTasks : nil
    let kernel =
      hopper
      ? try device.kernel(
        "attention90", in: "attention90.cu",
        ["HEAD=\(width)", "GROUPS=\(wide == nil ? 1 : 2)"] + define)
      : try device.kernel("attention", in: "attention.cu", ["HEAD=\(width)"] + define)
    try launch(
      kernel, grid: ((wide?.count ?? placed.taskCount) * heads, 1), block: wide == nil ? 128 : 256,
      [
        .tensor(qkv), .int(qkv.stride), .int(out.columns),
        .address(wide?.table.address ?? placed.tasks.address), .int(heads),
        .float(1.4426950408889634 / Float(width).squareRoot()), .tensor(out), .int(out.stride),
      ] + more)
    guard placed.windowCount > 0 else { return }
    try launch(
      windowKernel("windowAttention", width: width, define),
      grid: (windowBlocks(placed, heads: heads, width: width), 1), block: 256,
      [
        .tensor(qkv), .int(qkv.stride), .int(out.columns), .address(placed.windows.address),
        .int(placed.windowCount), .int(heads), .float(1 / Float(width).squareRoot()), .tensor(out),
        .int(out.stride),
      ] + more)
  }

  /// What kernels compiled with BIAS take beyond their arguments: the biases, and those of a head.
  func biasArguments(_ bias: Tensor?) -> [Argument] {
    bias.map { [.tensor($0), .int($0.columns)] } ?? []
  }

  func check(_ bias: Tensor?, heads: Int, longest: Int) throws(ComputeError) {
    guard let bias else { return }
    precondition(bias.type == .float32 && bias.isContiguous && bias.rows == heads)
    precondition(bias.columns % 2 == 1 && bias.columns >= 2 * longest - 1)
    guard bias.columns >= 2 * CUDASequences.longestWindow - 1 else {
      throw .unsupported("relative biases of fewer than three positions")
    }
  }

  func windowKernel(
    _ name: String, width: Int, _ defines: [String] = []
  ) throws(ComputeError) -> Kernel {
    guard [8, 16, 32, 64].contains(width) else {
      throw .unsupported("attention heads of \(width) columns; 8, 16, 32 and 64 are")
    }
    return try device.kernel(name, in: "windows.cu", ["HEAD=\(width)"] + defines)
  }

  /// Blocks of 256 threads, of which width / 8 take one head of one window.
  func windowBlocks(_ placed: CUDASequences, heads: Int, width: Int) -> Int {
    (placed.windowCount * heads * (width / 8) + 255) / 256
  }
}
