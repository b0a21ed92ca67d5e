package import Compute

extension CUDABackend {
  /// Rows that a block of kernels/rows.cu works on.
  private static let rowsPerBlock = 8

  private func rowKernel(_ name: String, hidden: Int) throws(ComputeError) -> Kernel {
    guard hidden % 8 == 0 else { throw .unsupported("a hidden size that is no multiple of 8") }
    return try device.kernel(name, in: "rows.cu", ["HIDDEN=\(hidden)"])
  }

  private func launchRows(_ kernel: Kernel, rows: Int, _ list: [Argument]) throws(ComputeError) {
    let blocks = (rows + CUDABackend.rowsPerBlock - 1) / CUDABackend.rowsPerBlock
    try launch(kernel, grid: (blocks, 1), block: 32 * CUDABackend.rowsPerBlock, list)
  }

  package func embed(
    ids: Indices, positions: Indices, types: Indices, tables: EmbeddingTables,
    norm: Normalization, into out: Tensor
  ) throws(ComputeError) {
    guard let word = tables.word else { preconditionFailure("the first tables hold words") }
    precondition(ids.count == out.rows && positions.count == out.rows && types.count == out.rows)
    precondition(ids.bound <= word.rows && positions.bound <= tables.position.rows)
    precondition(types.bound <= tables.tokenType.rows)
    let kernel = try rowKernel("embed", hidden: out.columns)
    let (ids, positions, types) = (
      try table(ids.values), try table(positions.values), try table(types.values)
    )
    try launchRows(
      kernel, rows: out.rows,
      [
        .address(ids.address), .address(positions.address), .address(types.address), .tensor(word),
        .tensor(tables.position), .tensor(tables.tokenType), .tensor(norm.gamma),
        .tensor(norm.beta), .float(norm.epsilon), .tensor(out), .int(out.stride), .int(out.rows),
      ])
  }

  package func addPositions(
    to x: Tensor, types: Indices, sequences: any PlacedSequences, tables: EmbeddingTables,
    norm: Normalization
  ) throws(ComputeError) {
    checkPlaces(sequences, types, tables)
    let kernel = try rowKernel("addPositions", hidden: x.columns)
    let types = try table(types.values)
    try launchRows(
      kernel, rows: x.rows,
      [
        .tensor(x), .int(x.stride), .address(placed(sequences).places.address),
        .address(types.address), .tensor(tables.position), .tensor(tables.tokenType),
        .tensor(norm.gamma), .tensor(norm.beta), .float(norm.epsilon), .int(x.rows),
      ])
  }

  package func applyGate(_ x: Tensor, gate: Tensor, bias: Float) throws(ComputeError) {
    let kernel = try rowKernel("applyGate", hidden: x.columns)
    try launchRows(
      kernel, rows: x.rows,
      [.tensor(x), .int(x.stride), .tensor(gate), .float(bias), .int(x.rows)])
  }

  package func addNorm(_ x: Tensor, residual: Tensor, norm: Normalization, into out: Tensor)
    throws(ComputeError)
  {
    let kernel = try rowKernel("addNorm", hidden: x.columns)
    try launchRows(
      kernel, rows: x.rows,
      [
        .tensor(x), .int(x.stride), .tensor(residual), .int(residual.stride), .tensor(norm.gamma),
        .tensor(norm.beta), .float(norm.epsilon), .tensor(out), .int(out.stride), .int(x.rows),
      ])
  }

  /// x = LayerNorm(x), in place.
  func normalise(_ x: Tensor, norm: Normalization) throws(ComputeError) {
    try launchRows(
      rowKernel("addNorm", hidden: x.columns), rows: x.rows,
      [
        .tensor(x), .int(x.stride), .address(0), .int(0), .tensor(norm.gamma), .tensor(norm.beta),
        .float(norm.epsilon), .tensor(x), .int(x.stride), .int(x.rows),
      ])
  }

  package func mergeNGrams(_ rows: [NGramRow], sequences: any PlacedSequences, into out: Tensor)
    throws(ComputeError)
  {
    try merge(rows, "mergeNGrams", [], sequences, into: out)
  }

  package func enter(
    _ rows: [NGramRow], types: Indices, sequences: any PlacedSequences, tables: EmbeddingTables,
    norm: Normalization, into out: Tensor
  ) throws(ComputeError) {
    checkPlaces(sequences, types, tables)
    let types = try table(types.values)
    try merge(
      rows, "enterNGrams",
      [
        .address(types.address), .tensor(tables.position), .tensor(tables.tokenType),
        .tensor(norm.gamma), .tensor(norm.beta), .float(norm.epsilon),
      ], sequences, into: out)
  }

  /// Rows in device memory are read where they lie; rows in host memory go through the staging ring,
  /// a part of the batch at a time if the ring is small.
  private func merge(
    _ rows: [NGramRow], _ kernel: String, _ more: [Argument], _ sequences: any PlacedSequences,
    into out: Tensor
  ) throws(ComputeError) {
    precondition(rows.count == out.rows)
    let kernel = try rowKernel(kernel, hidden: out.columns)
    let places = placed(sequences).places
    let resident = device.memory
    var first = 0
    while first < rows.count {
      // A row's neighbours must be there too.
      let from = max(0, first - 1)
      var part = NGramStaging(
        rows[from...], hidden: out.columns, resident: resident, capacity: staging.capacity / 2)
      let to = from + part.addresses.count
      let end = to == rows.count ? to : to - 1
      precondition(end > first, "the staging ring holds a few rows")
      let memory = try buffers.take(part.byteCount)
      if part.byteCount > 0 {
        unsafe try copy(to: memory.address, bytes: part.byteCount) {
          unsafe part.stage(into: $0, at: memory.address)
        }
      }
      let table = try table(part.addresses)
      try launchRows(
        kernel, rows: end - first,
        [
          .address(table.address), .int(from), .address(places.address), .tensor(out),
          .int(out.stride), .int(first), .int(end), .int(rows.count),
        ] + more)
      // Lent until here: the table must not be put where the rows are.
      withExtendedLifetime(memory) {}
      first = end
    }
  }

  private func checkPlaces(
    _ sequences: any PlacedSequences, _ types: Indices, _ tables: EmbeddingTables
  ) {
    precondition(
      sequences.layout.longest <= tables.position.rows && types.bound <= tables.tokenType.rows)
  }

  func placed(_ sequences: any PlacedSequences) -> CUDASequences {
    guard let placed = sequences as? CUDASequences else {
      preconditionFailure("sequences of another backend")
    }
    return placed
  }
}
