package import Compute

/// AdamW's settings, and its step over a parameter set.
package struct Optimizer: Sendable {
  package var beta1: Float = 0.9
  package var beta2: Float = 0.999
  package var epsilon: Float = 1e-8
  /// On tensors of two dimensions only: biases and norms are left alone.
  package var decay: Float = 0.01
  /// Gradients are scaled down to this global norm.
  package var clipNorm: Double = 1

  /// What a head's rate is of the others'.
  package var headRate: Float = 1

  package init() {}

  init(_ options: TrainingOptions) {
    decay = options.decay
    clipNorm = options.clipNorm
    headRate = options.headRate ?? 1
  }

  /// One step with the gradients that `parameters` holds: clip, decay, update. `number` counts from
  /// 1. Nothing is waited for.
  package func step(_ parameters: ParameterSet, number: Int, rate: Float) throws(ComputeError) {
    try parameters.take(item(parameters, number: number, rate: rate))
  }

  /// The same step, to be taken with those of others.
  func item(_ parameters: ParameterSet, number: Int, rate: Float) -> AdamWItem {
    parameters.adamW(
      AdamWStep(
        number: number, rate: rate, beta1: beta1, beta2: beta2, epsilon: epsilon, decay: decay,
        gradientScale: 1), decay: decay, headRate: headRate, clipNorm: clipNorm)
  }
}

/// Learning rate by step: rises linearly over the first `warmup` steps, then falls linearly to 0.
package struct Schedule: Sendable, Equatable {
  package var peak: Float
  package var warmup: Int
  package var total: Int

  package init(peak: Float, warmup: Int, total: Int) {
    (self.peak, self.warmup, self.total) = (peak, warmup, total)
  }

  /// `step` counts from 1.
  package func rate(at step: Int) -> Float {
    if step <= warmup { return peak * Float(step) / Float(warmup) }
    return peak * Float(max(0, total - step + 1)) / Float(max(1, total - warmup))
  }
}
