import Compute
import Model

/// A LoRA in training: out += scale * B (A x).
struct LowRankParameters {
  let a, b: Parameter
  let scale: Float

  /// nil where the set has no LoRA at (layer, target).
  init?(_ parameters: ParameterSet, layer: Int, target: LowRankTarget, scale: Float) {
    let name = AdapterFile.name(layer: layer, target: target)
    guard let a = parameters["\(name).A"] else { return nil }
    self.a = a
    b = parameters.require("\(name).B")
    self.scale = scale
  }

  /// Adds to `out`, which may be columns of a wider tensor; returns A x [R, rank], kept for backward.
  func forward(_ x: Tensor, into out: Tensor, _ run: TrainingRun) throws(ComputeError) -> Tensor {
    let low = run.take(x.rows, a.value.rows)
    try run.backend.linear(x, weight: a.value, bias: nil, scale: 1, adding: false, into: low)
    try run.backend.linear(low, weight: b.value, bias: nil, scale: scale, adding: true, into: out)
    return low
  }

  /// d: the gradient at `out`. Adds the part that goes through A and B to dx, where it is given.
  func backward(
    _ d: Tensor, input x: Tensor, low: Tensor, into dx: Tensor?, _ run: TrainingRun
  ) throws(ComputeError) {
    let mark = run.workspace.mark
    defer { run.workspace.reset(to: mark) }
    let dlow = run.take(low.rows, low.columns)
    try run.backend.linearParameterGradient(
      d, input: low, scale: scale, weight: b.gradient, bias: nil)
    try run.backend.linearInputGradient(
      d, weight: b.value, scale: scale, adding: false, into: dlow)
    try run.backend.linearParameterGradient(
      dlow, input: x, scale: 1, weight: a.gradient, bias: nil)
    guard let dx else { return }
    try run.backend.linearInputGradient(dlow, weight: a.value, scale: 1, adding: true, into: dx)
  }
}
