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
  }
  package let output: Output
  package let tokens: Int
  package let timing: Timing
  package let plot: PLOTHits

  package init(output: Output, tokens: Int, timing: Timing, plot: PLOTHits) {
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

/// How many of a sequence's n-grams were found.
package struct PLOTHits: Sendable, Equatable {
  package var grams = 0
  /// Found whole, as tri-grams.
  package var hits = 0

  /// 1 where nothing had to be looked up.
  package var rate: Double { grams == 0 ? 1 : Double(hits) / Double(grams) }

  package init(grams: Int = 0, hits: Int = 0) {
    self.grams = grams
    self.hits = hits
  }

  package static func + (a: PLOTHits, b: PLOTHits) -> PLOTHits {
    PLOTHits(grams: a.grams + b.grams, hits: a.hits + b.hits)
  }
}
