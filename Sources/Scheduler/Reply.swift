package import Manager

/// What a sequence is answered with.
package struct Reply: Sendable {
  package enum Output: Sendable, Equatable {
    /// classify, multilabel: the head's outputs [labels].
    case logits([Float])
    /// tag: the head's outputs [labels] at each word's first sub-token; empty for a word without one.
    case words([[Float]])
    /// embed: the pooled state [hidden], not normalised.
    case vector([Float])
    case score(Float)

    /// Whether all of it are numbers.
    var isFinite: Bool {
      switch self {
      case .logits(let values), .vector(let values): values.allSatisfy(\.isFinite)
      case .words(let words): words.allSatisfy { $0.allSatisfy(\.isFinite) }
      case .score(let score): score.isFinite
      }
    }
  }
  package let output: Output
  package let tokens: Int
  package let timing: Timing
  /// Where its n-grams' rows came from; no tokens where the base is dense.
  package let plot: PLOTStatistics

  package init(output: Output, tokens: Int, timing: Timing, plot: PLOTStatistics) {
    self.output = output
    self.tokens = tokens
    self.timing = timing
    self.plot = plot
  }
}

/// Where a sequence's time went.
package struct Timing: Sendable {
  /// From arrival to the closing of its batch.
  package var queue = Duration.zero
  /// Its batch: adapters, n-gram rows and those computed, and the wait for the device.
  package var lookup = Duration.zero
  /// Its batch: encoder and heads.
  package var compute = Duration.zero

  package init() {}
}
