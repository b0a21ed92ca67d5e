package import Compute

/// A batch's rows, and their keeper: the addresses in `rows` are good as long as this object lives.
/// Hold it until the merge has run (`withExtendedLifetime`), and not much longer: see `RowPins`.
@safe package final class PLOTRows: Sendable {
  /// One a token.
  package let rows: [NGramRow]
  /// One a token.
  package let levels: [PLOTLevel]
  /// Different n-grams that were computed for this batch.
  package let computedNGrams: Int
  private let owners: Owners

  /// What the addresses point into.
  struct Owners: Sendable {
    var files: [PLOTFile] = []
    var pin: RowPin?
    var cache: PLOTCache?
    var computed: RowMemory?
    /// Of rows in a device's memory.
    var device: (any AnyObject & Sendable)?
  }

  init(rows: [NGramRow], levels: [PLOTLevel], computedNGrams: Int, owners: Owners) {
    self.rows = rows
    self.levels = levels
    self.computedNGrams = computedNGrams
    self.owners = owners
  }

  /// The same rows under other levels.
  func with(levels: [PLOTLevel]) -> PLOTRows {
    PLOTRows(rows: rows, levels: levels, computedNGrams: computedNGrams, owners: owners)
  }

  /// Those of these tokens, in their order.
  package func keeping(_ tokens: [Range<Int>]) -> PLOTRows {
    PLOTRows(
      rows: tokens.flatMap { rows[$0] }, levels: tokens.flatMap { levels[$0] },
      computedNGrams: computedNGrams, owners: owners)
  }

  package var statistics: PLOTStatistics { PLOTStatistics(of: levels) }
  /// Of one sequence, say.
  package func statistics(of tokens: Range<Int>) -> PLOTStatistics {
    PLOTStatistics(of: levels[tokens])
  }
}

/// Rows computed for one batch.
@safe final class RowMemory: Sendable {
  let address: UInt
  private let byteCount: Int

  init(byteCount: Int) {
    self.byteCount = byteCount
    address = UInt(
      bitPattern: UnsafeMutableRawPointer.allocate(byteCount: max(byteCount, 1), alignment: 64))
  }

  deinit { unsafe UnsafeMutableRawPointer(bitPattern: address)?.deallocate() }
}
