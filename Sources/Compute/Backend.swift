/// What a device must be able to do for inference: about twenty coarse operations.
///
/// A backend object is one in-order lane: operations run in the order of their calls, and results
/// are on the host after `download`. One thread at a time may call it. What one lane prepared, loaded
/// or allocated, every lane of the same device may read. Shapes are the caller's duty;
/// a wrong one traps. Activations are `activationType`; wherever an output may be the input this is
/// said. Sizes below: R rows of the packed batch, H hidden.
package protocol Backend: AnyObject, Sendable {
  /// For people: "cpu (AVX-512, 2 threads)".
  var name: String { get }
  /// Type of every activation tensor.
  var activationType: ElementType { get }

  // MARK: Memory

  /// Memory aligned to 64 bytes, contents undefined. Throws `outOfMemory`.
  func allocate(byteCount: Int) throws(ComputeError) -> DeviceBuffer
  /// Copies values to a contiguous tensor, converting to its type; counts must be equal.
  func upload(_ values: UnsafeBufferPointer<Float>, to tensor: Tensor) throws(ComputeError)
  /// Copies a contiguous tensor's values to the host, converting from its type, after all earlier
  /// operations are done.
  func download(_ tensor: Tensor, into values: UnsafeMutableBufferPointer<Float>)
    throws(ComputeError)

  // MARK: Preparation (once a model, a tenant or a batch)

  func prepare(_ matrix: HostMatrix) throws(ComputeError) -> any Matrix
  /// The same for a product that may be computed in fewer bits, where the lane was told to: those of
  /// the layers that every request computes, not those whose results are kept in a table.
  func prepareReduced(_ matrix: HostMatrix) throws(ComputeError) -> any Matrix
  /// Loads a tenant's parameters. All its linear maps use `hidden` columns or rows of the base.
  func load(_ adapter: HostAdapter) throws(ComputeError) -> any ResidentAdapter
  func place(_ layout: SequenceLayout) throws(ComputeError) -> any PlacedSequences
  /// Groups ascend and do not overlap; rows in no group have no adapter.
  func place(_ groups: [RowGroup]) throws(ComputeError) -> any PlacedGroups

  // MARK: Entering the encoder

  /// out[r] = LayerNorm(word[ids[r]] + position[positions[r]] + tokenType[types[r]]), out [R, H].
  func embed(
    ids: Indices, positions: Indices, types: Indices, tables: EmbeddingTables,
    norm: Normalization, into out: Tensor
  ) throws(ComputeError)

  /// out[t] = rows[t][1] + rows[t + 1][0] + rows[t - 1][2] within each sequence, out [R, H]: how
  /// overlapping n-grams become token states (SkipBERT, ACL 2022, section 3).
  func mergeNGrams(_ rows: [NGramRow], sequences: any PlacedSequences, into out: Tensor)
    throws(ComputeError)

  /// x[r] = LayerNorm(x[r] + position[r's place in its sequence] + tokenType[types[r]]), in place:
  /// the second tables, which keep the stored rows free of position and segment.
  func addPositions(
    to x: Tensor, types: Indices, sequences: any PlacedSequences, tables: EmbeddingTables,
    norm: Normalization
  ) throws(ComputeError)

  /// `mergeNGrams`, then `addPositions`: how the batch of a skip base enters, so that a device may do
  /// both at once.
  func enter(
    _ rows: [NGramRow], types: Indices, sequences: any PlacedSequences, tables: EmbeddingTables,
    norm: Normalization, into out: Tensor
  ) throws(ComputeError)

  /// x[r] *= sigmoid(gate . x[r] + bias), in place: the local layers' output gate. gate [1, H].
  func applyGate(_ x: Tensor, gate: Tensor, bias: Float) throws(ComputeError)

  // MARK: A layer

  /// out = activation(x W^T + b). out must not overlap x.
  func matmul(_ x: Tensor, _ matrix: any Matrix, activation: Activation, into out: Tensor)
    throws(ComputeError)

  /// x = GELU(x), exact, in place; for the one case that `matmul` cannot fuse: a LoRA adds to its
  /// result first.
  func applyGELU(_ x: Tensor) throws(ComputeError)

  /// Multi-head attention inside each sequence. qkv [R, 3H]: query, key, value columns; heads split
  /// each into H / heads wide pieces; scores are scaled by 1 / sqrt(H / heads). out [R, H].
  /// `bias`, fp32 [heads, 2 n - 1], n at least the longest sequence: the scaled score of query i and
  /// key j gets bias[head, j - i + n - 1] added.
  func attention(
    _ qkv: Tensor, sequences: any PlacedSequences, heads: Int, bias: Tensor?, into out: Tensor
  ) throws(ComputeError)

  /// out = LayerNorm(x + residual). out may be x or residual.
  func addNorm(_ x: Tensor, residual: Tensor, norm: Normalization, into out: Tensor)
    throws(ComputeError)

  // MARK: Grouped by vBERT

  /// In place on each group's rows, where its adapter has a bottleneck at (layer, site):
  /// x += W_up GELU(W_down x + b_down) + b_up.
  func applyBottlenecks(_ x: Tensor, groups: any PlacedGroups, layer: Int, site: AdapterSite)
    throws(ComputeError)

  /// out = LayerNorm(x + residual), then the bottlenecks at (layer, site) on it: two operations that
  /// follow each other wherever there are adapters, so that a device may make one of them. out may be
  /// x or residual.
  func addNorm(
    _ x: Tensor, residual: Tensor, norm: Normalization, groups: any PlacedGroups, layer: Int,
    site: AdapterSite, into out: Tensor
  ) throws(ComputeError)

  /// out = LayerNorm(x W^T + b + residual), then the bottlenecks at (layer, site) on it: the end of
  /// either half of a layer, where no LoRA comes between. out must overlap neither x nor residual.
  func matmulAddNorm(
    _ x: Tensor, _ matrix: any Matrix, residual: Tensor, norm: Normalization,
    groups: (any PlacedGroups)?, layer: Int, site: AdapterSite, into out: Tensor
  ) throws(ComputeError)

  /// On each group's rows, where its adapter has a LoRA at (layer, target):
  /// out += scale * B (A x). out [R, outputs of the target]; it may be columns of a wider tensor.
  func addLowRanks(
    _ x: Tensor, groups: any PlacedGroups, layer: Int, target: LowRankTarget, into out: Tensor
  ) throws(ComputeError)

  /// out[i] = mean, or first row, of sequence i. x [R, H], out [sequences, H], fp32 or as x.
  func pool(_ x: Tensor, sequences: any PlacedSequences, pooling: Pooling, into out: Tensor)
    throws(ComputeError)

  /// out[r] = W_head x[r] + b_head with the head of r's group, in the first columns of out's row;
  /// further columns and rows without a head are left as they are. out [R, most labels or more], fp32
  /// or as x.
  func applyHeads(_ x: Tensor, groups: any PlacedGroups, into out: Tensor) throws(ComputeError)
}

extension Backend {
  /// out[r] = x[r] / |x[r]|, its L2 norm; rows of zeros stay. x [R, H], out [R, H], fp32 or as x.
  package func divideByNorms(_ x: Tensor, into out: Tensor) throws(ComputeError) {
    let rows = try place(SequenceLayout(lengths: repeatElement(1, count: x.rows)))
    try pool(x, sequences: rows, pooling: .normalizedMean, into: out)
  }

  package func attention(
    _ qkv: Tensor, sequences: any PlacedSequences, heads: Int, into out: Tensor
  ) throws(ComputeError) {
    try attention(qkv, sequences: sequences, heads: heads, bias: nil, into: out)
  }

  package func prepareReduced(_ matrix: HostMatrix) throws(ComputeError) -> any Matrix {
    try prepare(matrix)
  }

  package func enter(
    _ rows: [NGramRow], types: Indices, sequences: any PlacedSequences, tables: EmbeddingTables,
    norm: Normalization, into out: Tensor
  ) throws(ComputeError) {
    try mergeNGrams(rows, sequences: sequences, into: out)
    try addPositions(to: out, types: types, sequences: sequences, tables: tables, norm: norm)
  }

  package func matmulAddNorm(
    _ x: Tensor, _ matrix: any Matrix, residual: Tensor, norm: Normalization,
    groups: (any PlacedGroups)?, layer: Int, site: AdapterSite, into out: Tensor
  ) throws(ComputeError) {
    try matmul(x, matrix, activation: .none, into: out)
    if let groups {
      try addNorm(
        out, residual: residual, norm: norm, groups: groups, layer: layer, site: site, into: out)
    } else {
      try addNorm(out, residual: residual, norm: norm, into: out)
    }
  }

  package func addNorm(
    _ x: Tensor, residual: Tensor, norm: Normalization, groups: any PlacedGroups, layer: Int,
    site: AdapterSite, into out: Tensor
  ) throws(ComputeError) {
    try addNorm(x, residual: residual, norm: norm, into: out)
    try applyBottlenecks(out, groups: groups, layer: layer, site: site)
  }
}
