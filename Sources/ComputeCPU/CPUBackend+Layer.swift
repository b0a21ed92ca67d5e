internal import CSIMD
package import Compute

extension CPUBackend {
  package func matmul(
    _ x: Tensor, _ matrix: any Matrix, activation: Activation, into out: Tensor
  ) throws(ComputeError) {
    precondition(x.columns == matrix.inputs && out.columns == matrix.outputs)
    precondition(x.rows == out.rows)
    if x.rows == 0 { return }
    let activation = Int32(activation == .gelu ? CSIMD_GELU : CSIMD_NONE)
    switch matrix {
    case let matrix as PackedMatrix:
      var view = matrix.view
      unsafe try check(
        csimd_linear(
          context, &view, x.floats, x.stride, x.rows, out.floats, out.stride, activation))
    case let matrix as ReducedMatrix:
      var view = matrix.view
      unsafe try check(
        csimd_linear_reduced(
          context, &view, x.floats, x.stride, x.rows, out.floats, out.stride, activation))
    default: preconditionFailure("a matrix prepared by another backend")
    }
  }

  package func applyGELU(_ x: Tensor) throws(ComputeError) {
    if x.count == 0 { return }
    if x.isContiguous {
      unsafe csimd_gelu(context, x.floats, x.count, x.floats)
    } else {
      for r in 0..<x.rows {
        let row = unsafe x.rows(r..<r + 1).floats
        unsafe csimd_gelu(context, row, x.columns, row)
      }
    }
  }

  package func attention(
    _ qkv: Tensor, sequences: any PlacedSequences, heads: Int, bias: Tensor?, into out: Tensor
  ) throws(ComputeError) {
    let sequences = own(sequences)
    precondition(bias?.fits(heads: heads, longest: sequences.layout.longest) ?? true)
    precondition(qkv.columns == 3 * out.columns && out.columns % heads == 0)
    precondition(qkv.rows == sequences.layout.rows && out.rows == qkv.rows)
    if out.rows == 0 { return }
    unsafe try check(
      csimd_attention(
        context, sequences.spans, sequences.spans.count, sequences.layout.offsets, qkv.floats,
        qkv.stride, heads, out.columns / heads, bias?.floats, bias?.stride ?? 0, out.floats,
        out.stride))
  }

  package func addNorm(
    _ x: Tensor, residual: Tensor, norm: Normalization, into out: Tensor
  ) throws(ComputeError) {
    precondition(x.columns == out.columns && residual.columns == out.columns)
    precondition(x.rows == out.rows && residual.rows == out.rows)
    precondition(norm.gamma.columns == out.columns && norm.beta.columns == out.columns)
    if out.rows == 0 { return }
    unsafe csimd_add_norm(
      context, norm.view, x.floats, x.stride, residual.floats, residual.stride, out.rows,
      out.floats, out.stride)
  }

  package func pool(
    _ x: Tensor, sequences: any PlacedSequences, pooling: Pooling, into out: Tensor
  ) throws(ComputeError) {
    let layout = sequences.layout
    precondition(x.rows == layout.rows && out.rows == layout.count && x.columns == out.columns)
    if out.rows == 0 { return }
    unsafe csimd_pool(
      context, x.floats, x.stride, x.columns, layout.offsets, layout.count, pooling != .cls,
      pooling == .normalizedMean, out.floats, out.stride)
  }
}
