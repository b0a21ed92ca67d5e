package import Compute

/// Computes PLOT rows: the local layers of a skip base, run over the three tokens of an n-gram only
/// (SkipBERT, ACL 2022, section 3).
///
/// An n-gram is a packed sequence of the slots that have a token: one without is neither computed nor
/// attended, and its third of the row is zeros. An n-gram without a centre has a row of zeros.
package final class LocalEncoder {
  package let base: BaseModel
  private let backend: any Backend
  private let workspace: Workspace
  /// N-grams computed at once.
  private let chunk: Int

  /// Needs a skip base. `chunk` bounds the scratch memory: about 3 x chunk tokens.
  package init(base: BaseModel, backend: any Backend, chunk: Int = 512) throws(ComputeError) {
    precondition(base.skip != nil && chunk > 0)
    self.base = base
    self.backend = backend
    self.chunk = chunk
    let rows = 3 * chunk
    workspace = try Workspace(
      backend: backend,
      byteCount: Workspace.bytes(
        rows: rows, columns: base.configuration.hiddenSize, type: base.activationType)
        + Layer.workspaceBytes(
          rows: rows, configuration: base.configuration, type: base.activationType))
  }

  /// Fills `rows` [grams, 3, hidden] fp32 with the rows of `grams`, which should be distinct: each is
  /// computed. Throws `ComputeError.index` for an id that is not in the vocabulary.
  package func compute(_ grams: [NGram], into rows: UnsafeMutableBufferPointer<Float>)
    throws(ComputeError)
  {
    let width = 3 * base.configuration.hiddenSize
    precondition(rows.count == grams.count * width)
    unsafe rows.update(repeating: 0)
    var first = 0
    while first < grams.count {
      let last = min(first + chunk, grams.count)
      try unsafe computeChunk(
        grams[first..<last],
        into: UnsafeMutableBufferPointer(rebasing: rows[first * width..<last * width]))
      first = last
    }
  }

  private func computeChunk(
    _ grams: ArraySlice<NGram>, into rows: UnsafeMutableBufferPointer<Float>
  ) throws(ComputeError) {
    guard let skip = base.skip else { preconditionFailure("checked at init") }
    let hidden = base.configuration.hiddenSize
    let packed = try PackedNGrams(grams, vocabulary: base.configuration.vocabularySize)
    guard packed.ids.count > 0 else { return }
    workspace.reset()
    let x = workspace.take(rows: packed.ids.count, columns: hidden, type: base.activationType)
    try backend.embed(
      ids: packed.ids, positions: packed.positions,
      types: Indices(zeros: packed.ids.count), tables: base.embedding,
      norm: base.embeddingNorm, into: x)
    let batch = Layer.Batch(
      backend: backend, sequences: try backend.place(packed.layout), groups: nil,
      heads: base.configuration.headCount, bias: base.bias, workspace: workspace)
    for layer in base.layers[..<base.configuration.skipDepth] { try layer.run(x, batch) }
    try backend.applyGate(x, gate: skip.gate, bias: skip.gateBias)

    var states = [Float](repeating: 0, count: packed.ids.count * hidden)
    try unsafe states.withUnsafeMutableBufferPointer { states throws(ComputeError) in
      unsafe try backend.download(x, into: states)
    }
    unsafe states.withUnsafeBufferPointer { states in
      for (token, slot) in packed.slots.enumerated() {
        _ = unsafe UnsafeMutableBufferPointer(rebasing: rows[slot * hidden..<(slot + 1) * hidden])
          .update(fromContentsOf: states[token * hidden..<(token + 1) * hidden])
      }
    }
  }
}

/// The slots of some n-grams that have a token, as a packed batch.
package struct PackedNGrams {
  package let ids: Indices
  /// Place in the n-gram: 0 left, 1 centre, 2 right.
  package let positions: Indices
  /// For each token, 3 x its n-gram + its place.
  package private(set) var slots: [Int] = []
  package let layout: SequenceLayout

  /// Throws `ComputeError.index` for an id that is not below `vocabulary`.
  package init(_ grams: ArraySlice<NGram>, vocabulary: Int) throws(ComputeError) {
    var (ids, positions, lengths): ([Int32], [Int32], [Int]) = ([], [], [])
    for (number, gram) in grams.enumerated() where gram.hasCentre {
      let before = ids.count
      for (place, id) in [gram.left, gram.centre, gram.right].enumerated()
      where id != NGram.none {
        ids.append(id)
        positions.append(Int32(place))
        slots.append(3 * number + place)
      }
      lengths.append(ids.count - before)
    }
    self.ids = try Indices(ids, below: vocabulary)
    self.positions = try Indices(positions, below: 3)
    layout = SequenceLayout(lengths: lengths)
  }
}
