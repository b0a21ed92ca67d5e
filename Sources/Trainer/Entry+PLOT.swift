package import Manager

extension NGramLookup {
  /// Rows from the domain's table (nil: none of its own), the base's, and the cache; what is missing
  /// is computed.
  package func rowLookup(mode: PLOTMode = .exact, domain: String? = nil) -> RowLookup {
    { [self] grams in
      let segments = try domain.map {
        [Segment(tokens: 0..<grams.count, domain: try store.domain($0))]
      }
      let found = try rows(for: grams, segments: segments ?? [], mode: mode)
      return (found.rows, found)
    }
  }
}
