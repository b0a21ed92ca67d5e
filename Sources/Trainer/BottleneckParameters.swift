import Compute
import Model

/// A bottleneck adapter in training: y = a + dropout(W_up GELU(W_down a + b_down) + b_up).
struct BottleneckParameters {
  let downWeight, downBias, upWeight, upBias: Parameter

  /// nil where the set has no adapter at (layer, site).
  init?(_ parameters: ParameterSet, layer: Int, site: AdapterSite) {
    let name = AdapterFile.name(layer: layer, site: site)
    guard let downWeight = parameters["\(name).down.weight"] else { return nil }
    self.downWeight = downWeight
    downBias = parameters.require("\(name).down.bias")
    upWeight = parameters.require("\(name).up.weight")
    upBias = parameters.require("\(name).up.bias")
  }

  struct Saved {
    /// a [R, H].
    let input: Tensor
    /// GELU's derivative and its value, [R, width].
    let derivative, hidden: Tensor
    let output: Tensor
    let dropout: Dropout.Site
  }

  func forward(_ a: Tensor, dropout: Dropout.Site, _ run: TrainingRun) throws(ComputeError)
    -> Saved
  {
    let backend = run.backend
    let saved = Saved(
      input: a, derivative: run.take(a.rows, downWeight.value.rows),
      hidden: run.take(a.rows, downWeight.value.rows), output: run.take(a.rows, a.columns),
      dropout: dropout)
    try backend.linear(
      a, weight: downWeight.value, bias: downBias.value, scale: 1, adding: false,
      into: saved.derivative)
    try backend.geluSaving(saved.derivative, into: saved.hidden)
    try backend.linear(
      saved.hidden, weight: upWeight.value, bias: upBias.value, scale: 1, adding: false,
      into: saved.output)
    try dropout.apply(to: saved.output, backend)
    try backend.add(a, scale: 1, to: saved.output)
    return saved
  }

  /// d, the gradient at y, becomes the one at a; without `wantsInput` it is left as it was.
  func backward(_ d: Tensor, _ saved: Saved, wantsInput: Bool, _ run: TrainingRun)
    throws(ComputeError)
  {
    let backend = run.backend
    let mark = run.workspace.mark
    defer { run.workspace.reset(to: mark) }
    var inner = d
    if saved.dropout.probability > 0 {
      inner = run.take(d.rows, d.columns)
      try backend.fill(inner, with: 0)
      try backend.add(d, scale: 1, to: inner)
      try saved.dropout.apply(to: inner, backend)
    }
    try backend.linearParameterGradient(
      inner, input: saved.hidden, scale: 1, weight: upWeight.gradient, bias: upBias.gradient)
    let dhidden = run.take(d.rows, saved.hidden.columns)
    try backend.linearInputGradient(
      inner, weight: upWeight.value, scale: 1, adding: false, into: dhidden)
    try backend.multiply(dhidden, by: saved.derivative)
    try backend.linearParameterGradient(
      dhidden, input: saved.input, scale: 1, weight: downWeight.gradient,
      bias: downBias.gradient)
    guard wantsInput else { return }
    try backend.linearInputGradient(
      dhidden, weight: downWeight.value, scale: 1, adding: true, into: d)
  }
}
