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
  package static let mostIDs = 1 << 21 - 1

  /// The three ids in 63 bits, if they are below `mostIDs`, each one more than it is and 0 for none:
  /// equal keys are equal n-grams. 0 where the row is zeros.
  var key: UInt64 {
    guard hasCentre else { return 0 }
    func part(_ id: Int32) -> UInt64 { UInt64(UInt32(bitPattern: id &+ 1)) }
    return part(left) << 42 | part(centre) << 21 | part(right)
  }
}
