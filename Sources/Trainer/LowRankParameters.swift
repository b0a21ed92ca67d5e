import Compute
import Model

/// A LoRA in training: out += scale * B (A x). One for every tenant of the run, all of one rank.
struct LowRankParameters {
  private let parts: [(a: Parameter, b: Parameter)]
  private let scale: Float

  /// nil where the tenants' sets have no LoRA at (layer, target).
  init?(_ tenants: [ParameterSet], layer: Int, target: LowRankTarget, scale: Float) {
    let name = AdapterFile.name(layer: layer, target: target)
    parts = tenants.compactMap { parameters in
      guard let a = parameters["\(name).A"] else { return nil }
      return (a, parameters.require("\(name).B"))
    }
    if parts.isEmpty { return nil }
    precondition(parts.count == tenants.count, "all tenants of a run have adapters of one kind")
    self.scale = scale
  }

  /// Adds to `out`, which may be columns of a wider tensor; returns A x [R, rank], kept for backward.
  func forward(_ x: Tensor, into out: Tensor, _ run: TrainingRun) throws(ComputeError) -> Tensor {
    let low = run.take(x.rows, parts[0].a.value.rows)
    let backend = run.backend
    try backend.linear(run.items(x, low) { (parts[$0].a.value, nil) }, scale: 1, adding: false)
    try backend.linear(
      run.items(low, out) { (parts[$0].b.value, nil) }, scale: scale, adding: true)
    return low
  }

  /// d: the gradient at `out`. Adds the part that goes through A and B to dx, where it is given.
  func backward(
    _ d: Tensor, input x: Tensor, low: Tensor, into dx: Tensor?, _ run: TrainingRun
  ) throws(ComputeError) {
    let mark = run.workspace.mark
    defer { run.workspace.reset(to: mark) }
    let dlow = run.take(low.rows, low.columns)
    let backend = run.backend
    try backend.linearParameterGradient(
      run.items(low, d) { (parts[$0].b.gradient, nil) }, scale: scale)
    try backend.linearInputGradient(
      run.items(dlow, d) { (parts[$0].b.value, nil) }, scale: scale, adding: false)
    try backend.linearParameterGradient(
      run.items(x, dlow) { (parts[$0].a.gradient, nil) }, scale: 1)
    guard let dx else { return }
    try backend.linearInputGradient(
      run.items(dx, dlow) { (parts[$0].a.value, nil) }, scale: 1, adding: true)
  }
}
