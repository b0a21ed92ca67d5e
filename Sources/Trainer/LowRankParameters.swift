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
    try run.backend.linear(run.items(x, low) { (parts[$0].a.value, nil) })
    for part in run.tenants {
      try run.backend.linear(
        low.rows(part.rows), weight: parts[part.tenant].b.value, bias: nil, scale: scale,
        adding: true, into: out.rows(part.rows))
    }
    return low
  }

  /// d: the gradient at `out`. Adds the part that goes through A and B to dx, where it is given.
  func backward(
    _ d: Tensor, input x: Tensor, low: Tensor, into dx: Tensor?, _ run: TrainingRun
  ) throws(ComputeError) {
    let mark = run.workspace.mark
    defer { run.workspace.reset(to: mark) }
    let dlow = run.take(low.rows, low.columns)
    for part in run.tenants {
      let (mine, b) = (d.rows(part.rows), parts[part.tenant].b)
      try run.backend.linearParameterGradient(
        mine, input: low.rows(part.rows), scale: scale, weight: b.gradient, bias: nil)
      try run.backend.linearInputGradient(
        mine, weight: b.value, scale: scale, adding: false, into: dlow.rows(part.rows))
    }
    try run.backend.linearParameterGradient(run.items(x, dlow) { (parts[$0].a.gradient, nil) })
    guard let dx else { return }
    try run.backend.linearInputGradient(
      run.items(dx, dlow) { (parts[$0].a.value, nil) }, adding: true)
  }
}
