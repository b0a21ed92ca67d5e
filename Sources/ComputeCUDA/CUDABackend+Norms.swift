package import Compute

extension CUDABackend {
  private func normKernel(_ name: String, _ x: Tensor) throws(ComputeError) -> Kernel {
    guard x.columns % 8 == 0 else { throw .unsupported("a hidden size that is no multiple of 8") }
    return try device.kernel(
      name, in: "norms.cu", ["HIDDEN=\(x.columns)", "TYPE=\(try CUDABackend.name(x.type))"])
  }

  /// Blocks of the kernels that sum over rows: enough to fill the GPU, so many whatever else runs.
  private func summingBlocks(rows: Int) -> Int { min((rows + 7) / 8, 4 * device.multiprocessors) }

  package func addNormSaving(
    _ x: Tensor, residual: Tensor?, norm: Normalization, into out: Tensor, saving saved: SavedNorm
  ) throws(ComputeError) {
    precondition(x.isContiguous && out.isContiguous && residual?.isContiguous != false)
    precondition(out.type == x.type && saved.normalised.type == x.type)
    precondition(residual == nil || residual?.type == x.type)
    try launch(
      normKernel("addNormSaving", x), grid: ((x.rows + 7) / 8, 1), block: 256,
      [
        .tensor(x), .address(residual?.address ?? 0), .tensor(norm.gamma), .tensor(norm.beta),
        .float(norm.epsilon), .tensor(out), .tensor(saved.normalised), .tensor(saved.inverse),
        .int(x.rows),
      ])
  }

  package func addNormBackward(
    _ d: Tensor, saved: SavedNorm, gamma: Tensor, gradients: (gamma: Tensor, beta: Tensor)?
  ) throws(ComputeError) {
    precondition(d.isContiguous && saved.normalised.count == d.count)
    precondition(saved.normalised.type == d.type)
    let kernel = try normKernel("addNormBackward", d)
    let blocks = summingBlocks(rows: d.rows)
    let partials = gradients == nil ? nil : try buffers.take(8 * blocks * d.columns)
    try launch(
      kernel, grid: (blocks, 1), block: 256,
      [
        .tensor(d), .tensor(saved.normalised), .tensor(saved.inverse), .tensor(gamma),
        .address(partials?.address ?? 0), .int(d.rows),
      ])
    guard let gradients, let partials else { return }
    try addPartials(
      partials, count: blocks, stride: 2 * d.columns, columns: d.columns, scale: 1,
      to: gradients.gamma, gradients.beta)
  }

  package func applyGateSaving(
    _ x: Tensor, gate: Tensor, bias: Tensor, into out: Tensor, opening: Tensor
  ) throws(ComputeError) {
    precondition(opening.count == x.rows && x.isContiguous && out.isContiguous)
    precondition(out.type == x.type)
    try launch(
      normKernel("applyGateSaving", x), grid: ((x.rows + 7) / 8, 1), block: 256,
      [.tensor(x), .tensor(gate), .tensor(bias), .tensor(out), .tensor(opening), .int(x.rows)])
  }

  package func gateBackward(
    _ d: Tensor, x: Tensor, gate: Tensor, opening: Tensor, gradients: (gate: Tensor, bias: Tensor)?
  ) throws(ComputeError) {
    precondition(d.isContiguous && x.isContiguous && x.count == d.count && x.type == d.type)
    let kernel = try normKernel("gateBackward", d)
    let blocks = summingBlocks(rows: d.rows)
    let partials = gradients == nil ? nil : try buffers.take(4 * blocks * d.columns)
    let biases = gradients == nil ? nil : try buffers.take(4 * blocks * 8)
    try launch(
      kernel, grid: (blocks, 1), block: 256,
      [
        .tensor(d), .tensor(x), .tensor(gate), .tensor(opening),
        .address(partials?.address ?? 0), .address(biases?.address ?? 0), .int(d.rows),
      ])
    guard let gradients, let partials, let biases else { return }
    try addPartials(
      partials, count: blocks, stride: d.columns, columns: d.columns, scale: 1,
      to: gradients.gate)
    try addPartials(biases, count: 8 * blocks, stride: 1, columns: 1, scale: 1, to: gradients.bias)
  }

  package func poolBackward(
    _ d: Tensor, sequences: any PlacedSequences, pooling: Pooling, into dx: Tensor
  ) throws(ComputeError) {
    let placed = placed(sequences)
    precondition(d.rows == placed.layout.count && dx.rows == placed.layout.rows)
    precondition(pooling != .normalizedMean)
    precondition(d.isContiguous && dx.isContiguous && d.columns == dx.columns)
    try launch(
      kernel("poolBackward", in: "gather.cu", d, dx), grid: (d.rows, 1), block: 256,
      [
        .tensor(d), .address(placed.offsets.address), .int(pooling == .mean ? 1 : 0),
        .int(d.columns), .tensor(dx),
      ])
  }
}
