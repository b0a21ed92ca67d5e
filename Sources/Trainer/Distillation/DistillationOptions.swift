/// How a skip base is distilled. Equal options, text and limits in tokens give equal results.
package struct DistillationOptions: Sendable, Equatable, Codable {
  /// Tokens a step, at most.
  package var budget = 4096
  package var mix = TextMix()
  package var weights = LossWeights()
  /// Peak learning rate.
  package var rate: Float = 4e-4
  /// Steps over which the rate rises.
  package var warmup = 200
  package var decay: Float = 0.01
  package var clipNorm = 1.0
  package var seed: UInt64 = 1
  /// Lines that are shuffled together.
  package var linesPerRound = 16_384

  package init() {}

  /// What each part of the loss counts for.
  package struct LossWeights: Sendable, Equatable, Codable {
    /// Mean squared error of the states that enter and leave the upper layers, summed over them.
    package var hidden = 1.0
    /// The last layer's once more: it is what heads read.
    package var last = 1.0
    /// Of attention scores before the softmax, summed over the upper layers.
    package var scores = 0.05
    /// Of products between values.
    package var values = 0.0
    /// Of the mean state of a sequence.
    package var pooled = 1.0
    /// Whether states' errors are divided by the teacher's variance there, so that a layer of small
    /// states counts as much as one of large ones.
    package var byVariance = false

    package init() {}
  }
}

/// When a run ends: whichever comes first. The learning rate falls to 0 towards it.
package struct DistillationLimit: Sendable, Equatable {
  package var tokens: Int?
  package var seconds: Double?

  package init(tokens: Int? = nil, seconds: Double? = nil) {
    (self.tokens, self.seconds) = (tokens, seconds)
  }

  /// How much of the run is done, 0...1.
  func progress(tokens done: Int, seconds passed: Double) -> Double {
    max(
      tokens.map { Double(done) / Double(max(1, $0)) } ?? 0,
      seconds.map { passed / max(1e-9, $0) } ?? 0)
  }
}
