package import Compute
package import Model

extension NGramLookup {
  /// As `rows(for:mode: .exact)`, for tokens of the general table alone, by way of a device's own
  /// memory: what is there is neither looked up nor copied again. A row that was found there counts as
  /// the n-gram's own, which it is.
  package func rows(for grams: [NGram], on cache: any NGramRowCache) throws -> PLOTRows {
    var host: PLOTRows?
    let found = try cache.rows(for: grams.map(\.key)) { places in
      let rows = try rows(for: places.map { grams[$0] }, mode: .exact)
      host = rows
      return rows.rows
    }
    return PLOTRows(
      rows: found.rows,
      levels: found.missing.map { $0 < 0 ? .trigram : host?.levels[Int($0)] ?? .trigram },
      computedNGrams: host?.computedNGrams ?? 0, owners: PLOTRows.Owners(device: found.owner))
  }
}

extension NGram {
  /// Largest vocabulary whose n-grams have keys.
  package static let mostIDs = 1 << 21

  /// The three ids in 63 bits, if they are below `mostIDs`: equal keys are equal n-grams. 0 where the
  /// row is zeros.
  var key: UInt64 {
    guard centre != 0 else { return 0 }
    return UInt64(left) << 42 | UInt64(centre) << 21 | UInt64(right)
  }
}
