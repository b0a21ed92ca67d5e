internal import Compute

extension CUDABackend {
  /// out[c] += scale * the sum over p of partials[p * stride + c]; the `columns` columns after those go
  /// to `second`, where it is given.
  func addPartials(
    _ partials: BufferPool.Lent, count: Int, stride: Int, columns: Int, scale: Float,
    to first: Tensor, _ second: Tensor? = nil
  ) throws(ComputeError) {
    try launch(
      device.kernel("addPartials", in: "sums.cu", ["TYPE=float"]),
      grid: ((columns + 31) / 32, second == nil ? 1 : 2), block: 1024,
      [
        .address(partials.address), .int(count), .int(stride), .int(columns), .float(scale),
        .tensor(first), .address(second?.address ?? 0),
      ])
  }

  /// out += scale * column sums of d.
  func addColumnSums(of d: Tensor, scale: Float, to out: Tensor) throws(ComputeError) {
    let rowsPerChunk = 512
    let chunks = (d.rows + rowsPerChunk - 1) / rowsPerChunk
    let partials = try buffers.take(4 * chunks * d.columns)
    try launch(
      device.kernel("columnSums", in: "sums.cu", ["TYPE=\(try CUDABackend.name(d.type))"]),
      grid: ((d.columns + 63) / 64, chunks), block: 256,
      [
        .tensor(d), .int(d.stride), .int(d.rows), .int(d.columns), .int(rowsPerChunk),
        .address(partials.address),
      ])
    try addPartials(
      partials, count: chunks, stride: d.columns, columns: d.columns, scale: scale, to: out)
  }

  /// Values a block of the kernels that sum over everything.
  static let valuesPerSum = 16_384

  /// Partial sums of the squares of all values, a double a block.
  func squaredPartials(_ x: Tensor) throws(ComputeError) -> (BufferPool.Lent, count: Int) {
    precondition(x.isContiguous)
    let blocks = (x.count + CUDABackend.valuesPerSum - 1) / CUDABackend.valuesPerSum
    let partials = try buffers.take(8 * blocks)
    try launch(
      device.kernel("squaredSums", in: "sums.cu", ["TYPE=\(try CUDABackend.name(x.type))"]),
      grid: (blocks, 1), block: 256,
      [.tensor(x), .count(x.count), .address(partials.address)])
    return (partials, blocks)
  }

  /// value [1, 1] += the sum of the partial sums.
  func add(_ partials: BufferPool.Lent, count: Int, to value: Tensor) throws(ComputeError) {
    try launch(
      device.kernel("addSum", in: "sums.cu", ["TYPE=float"]), grid: (1, 1), block: 256,
      [.address(partials.address), .int(count), .tensor(value), .address(0)])
  }

  /// The sum of the partial sums, once all before is done.
  func total(_ partials: BufferPool.Lent, count: Int) throws(ComputeError) -> Double {
    let whole = try buffers.take(8)
    try launch(
      device.kernel("addSum", in: "sums.cu", ["TYPE=float"]), grid: (1, 1), block: 256,
      [.address(partials.address), .int(count), .address(0), .address(whole.address)])
    var result = 0.0
    unsafe try copyToHost(from: whole.address, bytes: 8) { memory in
      unsafe result = memory.load(as: Double.self)
    }
    return result
  }
}
