package import Compute

extension CUDABackend {
  /// Bytes of shared memory that kernels/grouped.cu holds besides the rows.
  private static let pageTableBytes = 4096

  /// How many rows a block owns and the shared memory that it takes: 64 where that fits and fills the
  /// GPU, else 16. The choice does not change a single sum.
  private func blockShape(columns: Int, size: Int, tiles: Int) throws(ComputeError)
    -> (rows: Int, bytes: Int)
  {
    let units = (size + 15) / 16 * 16
    func bytes(_ rows: Int) -> Int { 2 * rows * (columns + 8 + units + 8) }
    let most = device.sharedMemoryPerBlock - CUDABackend.pageTableBytes
    if tiles >= device.multiprocessors, bytes(64) <= most { return (64, bytes(64)) }
    guard bytes(16) <= most else {
      throw .unsupported("an adapter of width \(size) on \(columns) columns")
    }
    return (16, bytes(16))
  }

  private func placed(_ groups: any PlacedGroups) -> CUDAGroups {
    guard let placed = groups as? CUDAGroups else {
      preconditionFailure("another backend's groups")
    }
    return placed
  }

  package func applyBottlenecks(
    _ x: Tensor, groups: any PlacedGroups, layer: Int, site: AdapterSite
  ) throws(ComputeError) {
    let placed = placed(groups)
    let slot = AdapterImage.slot(layer: layer, site: site)
    guard placed.size(slot) > 0 else { return }
    try launchBottleneck(
      "bottleneck", columns: x.columns, placed, slot,
      [.tensor(x), .int(x.stride), .address(placed.tiles.address), .int(slot)])
  }

  package func addNorm(
    _ x: Tensor, residual: Tensor, norm: Normalization, groups: any PlacedGroups, layer: Int,
    site: AdapterSite, into out: Tensor
  ) throws(ComputeError) {
    let placed = placed(groups)
    let slot = AdapterImage.slot(layer: layer, site: site)
    guard placed.size(slot) > 0 else {
      return try addNorm(x, residual: residual, norm: norm, into: out)
    }
    try launchBottleneck(
      "addNormBottleneck", columns: x.columns, placed, slot,
      [
        .tensor(x), .int(x.stride), .tensor(residual), .int(residual.stride), .tensor(norm.gamma),
        .tensor(norm.beta), .float(norm.epsilon), .tensor(out), .int(out.stride),
        .address(placed.tiles.address), .int(slot),
      ])
    let rest = min(placed.rows, x.rows)..<x.rows
    try addNorm(
      x.rows(rest), residual: residual.rows(rest), norm: norm, into: out.rows(rest))
  }

  /// x = LayerNorm(x), then the bottlenecks, in place.
  func normalise(
    _ x: Tensor, norm: Normalization, groups: (any PlacedGroups)?, layer: Int, site: AdapterSite
  ) throws(ComputeError) {
    let placed = groups.map(placed)
    let slot = AdapterImage.slot(layer: layer, site: site)
    guard let placed, placed.size(slot) > 0 else { return try normalise(x, norm: norm) }
    try launchBottleneck(
      "normBottleneck", columns: x.columns, placed, slot,
      [
        .tensor(x), .int(x.stride), .tensor(norm.gamma), .tensor(norm.beta), .float(norm.epsilon),
        .tensor(x), .int(x.stride), .address(placed.tiles.address), .int(slot),
      ])
    try normalise(x.rows(min(placed.rows, x.rows)..<x.rows), norm: norm)
  }

  /// One of the bottlenecks' kernels, over all tiles of rows.
  private func launchBottleneck(
    _ name: String, columns: Int, _ placed: CUDAGroups, _ slot: Int, _ arguments: [Argument]
  ) throws(ComputeError) {
    let shape = try blockShape(columns: columns, size: placed.size(slot), tiles: placed.tileCount)
    let kernel = try device.kernel(
      name, in: "grouped.cu", ["HIDDEN=\(columns)", "ROWS=\(shape.rows)"])
    try launch(
      kernel, grid: (placed.tileCount, CUDAGroups.rowsPerTile / shape.rows), block: 256,
      sharedBytes: shape.bytes, arguments)
  }

  package func addLowRanks(
    _ x: Tensor, groups: any PlacedGroups, layer: Int, target: LowRankTarget, into out: Tensor
  ) throws(ComputeError) {
    let placed = placed(groups)
    let slot = AdapterImage.slot(layer: layer, target: target)
    guard placed.size(slot) > 0 else { return }
    let shape = try blockShape(
      columns: x.columns, size: placed.size(slot), tiles: placed.tileCount)
    let kernel = try device.kernel("lowRank", in: "grouped.cu", ["ROWS=\(shape.rows)"])
    try launch(
      kernel, grid: (placed.tileCount, CUDAGroups.rowsPerTile / shape.rows), block: 256,
      sharedBytes: shape.bytes,
      [
        .tensor(x), .int(x.stride), .int(x.columns), .address(placed.tiles.address), .int(slot),
        .tensor(out), .int(out.stride), .int(out.columns),
      ])
  }

  package func pool(_ x: Tensor, sequences: any PlacedSequences, pooling: Pooling, into out: Tensor)
    throws(ComputeError)
  {
    let placed = placed(sequences)
    let name = out.type == .float32 ? "poolFloats" : "pool"
    let kernel = try headKernel(name, hidden: x.columns)
    try launch(
      kernel, grid: (placed.layout.count, 1), block: 256,
      [
        .tensor(x), .int(x.stride), .address(placed.offsets.address), .int(Int(pooling.rawValue)),
        .tensor(out), .int(out.stride),
      ])
  }

  package func applyHeads(_ x: Tensor, groups: any PlacedGroups, into out: Tensor)
    throws(ComputeError)
  {
    let placed = placed(groups)
    guard placed.size(0) > 0 else { return }
    let name =
      switch (x.type, out.type) {
      case (.float32, .float32): "headsOfFloats"
      case (_, .float32): "headsToFloats"
      default: "heads"
      }
    let kernel = try headKernel(name, hidden: x.columns)
    try launch(
      kernel, grid: (placed.tileCount, 1), block: 256,
      [
        .tensor(x), .int(x.stride), .address(placed.tiles.address), .tensor(out), .int(out.stride),
      ])
  }

  private func headKernel(_ name: String, hidden: Int) throws(ComputeError) -> Kernel {
    guard hidden % 8 == 0 else { throw .unsupported("a hidden size that is no multiple of 8") }
    return try device.kernel(name, in: "heads.cu", ["HIDDEN=\(hidden)"])
  }
}
