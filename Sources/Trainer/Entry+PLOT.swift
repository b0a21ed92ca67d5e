package import Manager

extension NGramLookup {
  /// Rows from the base's table and cache; what is missing is computed.
  package func rowLookup(mode: PLOTMode = .exact) -> RowLookup {
    { [self] grams in
      let found = try rows(for: grams, mode: mode)
      return (found.rows, found)
    }
  }
}
