internal import CSIMD
package import Compute
internal import Foundation

/// Values that one task of an elementwise operation covers: enough to outweigh handing it out.
private let run = 1 << 14

extension CPUBackend: TrainableBackend {
  // MARK: Linear maps that change at every step

  package func linear(
    _ x: Tensor, weight: Tensor, bias: Tensor?, scale: Float, adding: Bool, into out: Tensor
  ) throws(ComputeError) {
    try gemm(x, false, weight, true, scale: scale, adding: adding, into: out)
    guard let bias else { return }
    precondition(bias.columns == out.columns)
    for r in 0..<out.rows {
      unsafe csimd_axpy(Int64(out.columns), 1, bias.dense, out.row(r))
    }
  }

  package func linearInputGradient(
    _ d: Tensor, weight: Tensor, scale: Float, adding: Bool, into dx: Tensor
  ) throws(ComputeError) {
    try gemm(d, false, weight, false, scale: scale, adding: adding, into: dx)
  }

  package func linearParameterGradient(
    _ d: Tensor, input x: Tensor, scale: Float, weight: Tensor, bias: Tensor?
  ) throws(ComputeError) {
    try gemm(d, true, x, false, scale: scale, adding: true, into: weight)
    guard let bias else { return }
    precondition(bias.columns == d.columns && d.isContiguous)
    parallel(count: d.columns, by: 64) { columns in
      unsafe csimd_column_sums(
        Int64(d.rows), Int64(d.columns), Int64(columns.lowerBound), Int64(columns.upperBound),
        scale, d.dense, bias.dense)
    }
  }

  /// c = scale op(a) op(b), or added to c.
  private func gemm(
    _ a: Tensor, _ transposeA: Bool, _ b: Tensor, _ transposeB: Bool, scale: Float, adding: Bool,
    into c: Tensor
  ) throws(ComputeError) {
    let (m, k) = transposeA ? (a.columns, a.rows) : (a.rows, a.columns)
    let (inner, n) = transposeB ? (b.columns, b.rows) : (b.rows, b.columns)
    precondition(k == inner && c.rows == m && c.columns == n)
    try check(
      unsafe csimd_gemm(
        context, transposeA, transposeB, m, n, k, scale, a.floats, a.stride, b.floats, b.stride,
        adding ? 1 : 0, c.floats, c.stride))
  }

  // MARK: Elementwise

  package func geluSaving(_ x: Tensor, into out: Tensor) throws(ComputeError) {
    precondition(x.count == out.count)
    parallel(count: x.count, by: run) { part in
      unsafe csimd_gelu_saving(
        Int64(part.count), x.dense + part.lowerBound, out.dense + part.lowerBound)
    }
  }

  package func multiply(_ x: Tensor, by y: Tensor) throws(ComputeError) {
    precondition(x.count == y.count)
    parallel(count: x.count, by: run) { part in
      unsafe csimd_multiply(
        Int64(part.count), y.dense + part.lowerBound, x.dense + part.lowerBound)
    }
  }

  package func add(_ y: Tensor, scale: Float, to x: Tensor) throws(ComputeError) {
    precondition(x.count == y.count)
    parallel(count: x.count, by: run) { part in
      unsafe csimd_axpy(
        Int64(part.count), scale, y.dense + part.lowerBound, x.dense + part.lowerBound)
    }
  }

  package func fill(_ x: Tensor, with value: Float) throws(ComputeError) {
    unsafe x.dense.update(repeating: value, count: x.count)
  }

  package func dropout(_ x: Tensor, probability: Float, key: UInt64) throws(ComputeError) {
    precondition(0 <= probability && probability < 1)
    guard probability > 0 else { return }
    let threshold = UInt32((Double(probability) * 0x1p32).rounded())
    parallel(count: x.count, by: run) { part in
      unsafe csimd_dropout(
        Int64(part.count), UInt64(part.lowerBound), key, threshold, 1 / (1 - probability),
        x.dense + part.lowerBound)
    }
  }

  package func copy(_ x: Tensor, to y: Tensor) throws(ComputeError) {
    precondition(x.count == y.count && x.type == .float32 && y.type == .float32)
    unsafe y.dense.update(from: x.dense, count: x.count)
  }

  // MARK: Rows by number

  package func gatherSum(_ table: Tensor, indices: [Int32], terms: Int, into out: Tensor)
    throws(ComputeError)
  {
    precondition(indices.count == out.rows * terms && table.columns == out.columns)
    unsafe indices.withUnsafeBufferPointer { indices in
      guard let indices = indices.baseAddress else { return }
      parallel(count: out.rows, by: 64) { rows in
        unsafe csimd_gather_sum(
          Int64(rows.count), Int64(terms), Int64(out.columns),
          indices + rows.lowerBound * terms, table.dense, out.row(rows.lowerBound))
      }
    }
  }

  package func scatterAdd(_ d: Tensor, indices: [Int32], terms: Int, to table: Tensor)
    throws(ComputeError)
  {
    precondition(
      indices.count == d.rows * terms && table.columns == d.columns && d.isContiguous)
    unsafe indices.withUnsafeBufferPointer { indices in
      guard let indices = indices.baseAddress else { return }
      parallel(count: d.columns, by: 64) { columns in
        unsafe csimd_scatter_add(
          Int64(d.rows), Int64(terms), Int64(d.columns), Int64(columns.lowerBound),
          Int64(columns.upperBound), indices, d.dense, table.dense)
      }
    }
  }

  // MARK: The optimiser

  package func squaredSum(_ x: Tensor) throws(ComputeError) -> Double {
    var parts = [Double](repeating: 0, count: (x.count + run - 1) / run)
    unsafe parts.withUnsafeMutableBufferPointer { parts in
      parallel(count: x.count, by: run) { part in
        unsafe parts[part.lowerBound / run] = csimd_squared_sum(
          Int64(part.count), x.dense + part.lowerBound)
      }
    }
    return parts.reduce(0, +)
  }

  package func adamW(_ state: AdamWState, step: AdamWStep) throws(ComputeError) {
    let power = Double(step.number)
    var constants = csimd_adamw_step(
      rate: step.rate, beta1: step.beta1, beta2: step.beta2, epsilon: step.epsilon,
      correction1: Float(1 / (1 - pow(Double(step.beta1), power))),
      correction2: Float(1 / (1 - pow(Double(step.beta2), power))),
      gradient_scale: step.gradientScale)
    unsafe withUnsafePointer(to: &constants) { constants in
      parallel(count: state.value.count, by: run) { part in
        let first = part.lowerBound
        unsafe csimd_adamw(
          Int64(part.count), constants, step.decay, state.gradient.dense + first,
          state.value.dense + first, state.mean.dense + first, state.square.dense + first)
      }
    }
  }
}
