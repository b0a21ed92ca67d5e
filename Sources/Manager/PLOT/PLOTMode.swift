/// What is done about an n-gram that is not in the table: `--plot exact|fallback|off`.
package enum PLOTMode: String, Sendable, Hashable, CaseIterable {
  /// It is computed, and admitted to the table.
  case exact
  /// Its bi-gram, then its unigram stands in. Only a unigram that is missing too is computed.
  case fallback
  /// The table is not asked: every n-gram is computed, in fp32.
  case off
}

/// Which n-gram's row a token got, and whether from the table.
package enum PLOTLevel: UInt8, Sendable, Hashable {
  /// None from the table: computed just now.
  case computed = 0
  /// (none, x, none).
  case unigram = 1
  /// (none, x, y).
  case bigram = 2
  /// The n-gram itself, whatever its zeros.
  case trigram = 3
}

/// How many tokens got their row from where.
package struct PLOTStatistics: Sendable, Hashable {
  package var trigrams = 0
  package var bigrams = 0
  package var unigrams = 0
  package var computed = 0

  package init() {}

  package init(of levels: some Sequence<PLOTLevel>) {
    for level in levels {
      switch level {
      case .trigram: trigrams += 1
      case .bigram: bigrams += 1
      case .unigram: unigrams += 1
      case .computed: computed += 1
      }
    }
  }

  package var tokens: Int { trigrams + bigrams + unigrams + computed }
  /// The share of tokens whose own n-gram was in the table; 1 when there are no tokens.
  package var hitRate: Double { tokens == 0 ? 1 : Double(trigrams) / Double(tokens) }

  package static func += (sum: inout PLOTStatistics, more: PLOTStatistics) {
    sum.trigrams += more.trigrams
    sum.bigrams += more.bigrams
    sum.unigrams += more.unigrams
    sum.computed += more.computed
  }
}
