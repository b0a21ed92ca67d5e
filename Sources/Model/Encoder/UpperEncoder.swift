package import Compute

/// The part of the base that every request computes: the entry (embeddings, or merged n-gram rows)
/// and the upper layers, for one packed batch at a time on one backend lane.
package final class UpperEncoder {
  package let base: BaseModel
  package let backend: any Backend
  /// Longest batch, in tokens.
  package let tokenBudget: Int
  /// Scratch for one batch; what the caller takes on top (pooled states, logits) it takes after
  /// `states` and the next `states` call gives everything back.
  package let workspace: Workspace

  /// `extraBytes` is workspace beyond the encoder's own need, for the caller's heads.
  package init(
    base: BaseModel, backend: any Backend, tokenBudget: Int, extraBytes: Int = 0
  ) throws(ComputeError) {
    self.base = base
    self.backend = backend
    self.tokenBudget = tokenBudget
    workspace = try Workspace(
      backend: backend,
      byteCount: UpperEncoder.workspaceBytes(
        rows: tokenBudget, configuration: base.configuration, type: base.activationType)
        + extraBytes)
  }

  /// The encoder's own need for batches of so many tokens.
  package static func workspaceBytes(
    rows: Int, configuration: Configuration, type: ElementType = .float32
  ) -> Int {
    Workspace.bytes(rows: rows, columns: configuration.hiddenSize, type: type)
      + Layer.workspaceBytes(rows: rows, configuration: configuration, type: type)
  }

  /// The final states [rows, hidden] of a batch, valid until the next call.
  ///
  /// `rows` holds each token's n-gram row, needed by a skip base and ignored by a dense one;
  /// `groups` says which rows belong to which vBERT. `visit` sees the state that enters the first
  /// computed layer (0), then the state after each layer (1, 2...).
  package func states(
    of batch: PackedBatch, rows: [NGramRow]? = nil, sequences: any PlacedSequences,
    groups: (any PlacedGroups)? = nil,
    visit: (Int, Tensor) throws(ComputeError) -> Void = { _, _ in }
  ) throws(ComputeError) -> Tensor {
    let x = try entered(batch, rows: rows, sequences: sequences, visit)
    let layerBatch = layerBatch(sequences, groups)
    for (done, layer) in layers.enumerated() {
      try layer.run(x, layerBatch)
      try visit(done + 1, x)
    }
    return x
  }

  /// The final states of every sequence's first row [sequences, hidden], as `states` has them: what
  /// heads that pool by it read. The last layer computes no more than they need, a quarter of its
  /// operations. Equal to the bit where products do not depend on the rows beside (CUDA does not).
  /// `firstGroups`: who the sequences belong to, one row each.
  package func firstStates(
    of batch: PackedBatch, rows: [NGramRow]? = nil, sequences: any PlacedSequences,
    groups: (any PlacedGroups)? = nil, firstGroups: (any PlacedGroups)? = nil,
    visit: (Int, Tensor) throws(ComputeError) -> Void = { _, _ in }
  ) throws(ComputeError) -> Tensor {
    let x = try entered(batch, rows: rows, sequences: sequences, visit)
    let layerBatch = layerBatch(sequences, groups)
    for (done, layer) in layers.dropLast().enumerated() {
      try layer.run(x, layerBatch)
      try visit(done + 1, x)
    }
    guard let last = layers.last else { preconditionFailure("a base without layers") }
    let firsts = try last.runFirstRows(x, layerBatch, groups: firstGroups)
    try visit(layers.count, firsts)
    return firsts
  }

  private var layers: ArraySlice<Layer> { base.layers[base.configuration.upperLayers] }

  private func layerBatch(_ sequences: any PlacedSequences, _ groups: (any PlacedGroups)?)
    -> Layer.Batch
  {
    Layer.Batch(
      backend: backend, sequences: sequences, groups: groups,
      heads: base.configuration.headCount, bias: base.bias, workspace: workspace)
  }

  private func entered(
    _ batch: PackedBatch, rows: [NGramRow]?, sequences: any PlacedSequences,
    _ visit: (Int, Tensor) throws(ComputeError) -> Void
  ) throws(ComputeError) -> Tensor {
    precondition(batch.layout.rows <= tokenBudget)
    workspace.reset()
    let x = workspace.take(
      rows: batch.layout.rows, columns: base.configuration.hiddenSize, type: base.activationType)
    try enter(batch, rows: rows, sequences: sequences, into: x)
    try visit(0, x)
    return x
  }

  /// The state that enters the first computed layer.
  package func enter(
    _ batch: PackedBatch, rows: [NGramRow]?, sequences: any PlacedSequences, into x: Tensor
  ) throws(ComputeError) {
    guard let skip = base.skip else {
      return try backend.embed(
        ids: batch.ids, positions: batch.positions, types: batch.types, tables: base.embedding,
        norm: base.embeddingNorm, into: x)
    }
    guard let rows else { preconditionFailure("a skip base is entered with n-gram rows") }
    try backend.enter(
      rows, types: batch.types, sequences: sequences, tables: skip.tables, norm: skip.norm, into: x)
  }
}
