import Compute
import Model

/// A bottleneck adapter in training: y = a + dropout(W_up GELU(W_down a + b_down) + b_up). One for every
/// tenant of the run, all of one width.
struct BottleneckParameters {
  private struct Part {
    let downWeight, downBias, upWeight, upBias: Parameter
  }

  private let parts: [Part]
  private let layer: Int
  private let site: AdapterSite

  /// nil where the tenants' sets have no adapter at (layer, site).
  init?(_ tenants: [ParameterSet], layer: Int, site: AdapterSite) {
    let name = AdapterFile.name(layer: layer, site: site)
    parts = tenants.compactMap { parameters in
      guard let downWeight = parameters["\(name).down.weight"] else { return nil }
      return Part(
        downWeight: downWeight, downBias: parameters.require("\(name).down.bias"),
        upWeight: parameters.require("\(name).up.weight"),
        upBias: parameters.require("\(name).up.bias"))
    }
    if parts.isEmpty { return nil }
    precondition(parts.count == tenants.count, "all tenants of a run have adapters of one kind")
    (self.layer, self.site) = (layer, site)
  }

  struct Saved {
    /// a [R, H].
    let input: Tensor
    /// GELU's derivative and its value, [R, width].
    let derivative, hidden: Tensor
    let output: Tensor
  }

  func forward(_ a: Tensor, _ run: TrainingRun) throws(ComputeError) -> Saved {
    let (backend, width) = (run.backend, parts[0].downWeight.value.rows)
    let saved = Saved(
      input: a, derivative: run.take(a.rows, width), hidden: run.take(a.rows, width),
      output: run.take(a.rows, a.columns))
    try backend.linear(
      run.items(a, saved.derivative) { (parts[$0].downWeight.value, parts[$0].downBias.value) },
      scale: 1, adding: false)
    try backend.geluSaving(saved.derivative, into: saved.hidden)
    try backend.linear(
      run.items(saved.hidden, saved.output) { (parts[$0].upWeight.value, parts[$0].upBias.value) },
      scale: 1, adding: false)
    try run.dropAdapterOutputs(saved.output, layer: layer, site: site)
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
    if run.tenants.contains(where: { $0.dropout.adapter > 0 }) {
      inner = run.take(d.rows, d.columns)
      try backend.fill(inner, with: 0)
      try backend.add(d, scale: 1, to: inner)
      try run.dropAdapterOutputs(inner, layer: layer, site: site)
    }
    try backend.linearParameterGradient(
      run.items(saved.hidden, inner) { (parts[$0].upWeight.gradient, parts[$0].upBias.gradient) },
      scale: 1)
    let dhidden = run.take(d.rows, saved.hidden.columns)
    try backend.linearInputGradient(
      run.items(dhidden, inner) { (parts[$0].upWeight.value, nil) }, scale: 1, adding: false)
    try backend.multiply(dhidden, by: saved.derivative)
    try backend.linearParameterGradient(
      run.items(saved.input, dhidden) {
        (parts[$0].downWeight.gradient, parts[$0].downBias.gradient)
      }, scale: 1)
    guard wantsInput else { return }
    try backend.linearInputGradient(
      run.items(d, dhidden) { (parts[$0].downWeight.value, nil) }, scale: 1, adding: true)
  }
}
