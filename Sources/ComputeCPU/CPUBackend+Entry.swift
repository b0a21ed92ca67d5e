internal import CSIMD
package import Compute

extension CPUBackend {
  package func embed(
    ids: Indices, positions: Indices, types: Indices, tables: EmbeddingTables,
    norm: Normalization, into out: Tensor
  ) throws(ComputeError) {
    guard let word = tables.word else { preconditionFailure("embedding without a word table") }
    precondition(ids.count == out.rows && positions.count == out.rows && types.count == out.rows)
    precondition(ids.bound <= word.rows && positions.bound <= tables.position.rows)
    precondition(types.bound <= tables.tokenType.rows)
    if out.rows == 0 { return }
    unsafe csimd_embed(
      context, norm.view, word.floats, word.stride, ids.values, tables.position.floats,
      tables.position.stride, positions.values, tables.tokenType.floats, tables.tokenType.stride,
      types.values, out.rows, out.floats, out.stride)
  }

  package func mergeNGrams(
    _ rows: [NGramRow], sequences: any PlacedSequences, into out: Tensor
  ) throws(ComputeError) {
    let layout = sequences.layout
    precondition(rows.count == layout.rows && out.rows == layout.rows)
    if rows.isEmpty { return }
    let stored = rows.map { row in
      csimd_row(address: row.address, type: row.type.code)
    }
    unsafe csimd_merge(
      context, stored, layout.offsets, layout.count, out.columns, out.floats, out.stride)
  }

  package func addPositions(
    to x: Tensor, types: Indices, sequences: any PlacedSequences, tables: EmbeddingTables,
    norm: Normalization
  ) throws(ComputeError) {
    let sequences = own(sequences)
    precondition(types.count == x.rows && sequences.layout.rows == x.rows)
    precondition(
      sequences.layout.longest <= tables.position.rows && types.bound <= tables.tokenType.rows)
    if x.rows == 0 { return }
    unsafe csimd_embed(
      context, norm.view, x.floats, x.stride, nil, tables.position.floats, tables.position.stride,
      sequences.positions, tables.tokenType.floats, tables.tokenType.stride, types.values, x.rows,
      x.floats, x.stride)
  }

  package func applyGate(_ x: Tensor, gate: Tensor, bias: Float) throws(ComputeError) {
    precondition(gate.columns == x.columns)
    if x.rows == 0 { return }
    unsafe csimd_gate(context, x.floats, x.stride, x.rows, x.columns, gate.floats, bias)
  }
}

extension Normalization {
  var view: csimd_norm {
    unsafe csimd_norm(
      gamma: gamma.floats, beta: beta.floats, epsilon: epsilon, width: gamma.columns)
  }
}

extension ElementType {
  /// The C side's name of a stored row's type.
  fileprivate var code: Int32 {
    switch self {
    case .float32: Int32(CSIMD_FLOAT32)
    case .float16: Int32(CSIMD_FLOAT16)
    case .int8: Int32(CSIMD_INT8)
    case .bfloat16, .int32: preconditionFailure("n-gram rows are float32, float16 or int8")
    }
  }
}
