package import Model

extension NGramLookup {
  /// For tests: pretends that the table holds `known` and the unigrams, and nothing else, and
  /// computes what it would have given, in fp32. The tri-gram if it is listed, else (none, x1, x2) if
  /// it is, else (none, x1, none). Levels say which, never `computed`.
  package func rows(for grams: [NGram], known: Set<NGram>) throws -> PLOTRows {
    let chosen = grams.map { NGramLookup.choose($0, known: known) }
    let rows = try rows(for: chosen.map(\.gram), mode: .off)
    return rows.with(levels: chosen.map(\.level))
  }

  /// The n-gram whose row stands in for `gram`'s.
  static func choose(_ gram: NGram, known: Set<NGram>) -> (gram: NGram, level: PLOTLevel) {
    if known.contains(gram) { return (gram, .trigram) }
    if gram.right != NGram.none, known.contains(gram.bigram) { return (gram.bigram, .bigram) }
    return (gram.unigram, .unigram)
  }
}
