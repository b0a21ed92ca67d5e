/// Rows of n-grams that a device keeps in its own memory, so that a frequent one is not copied to it
/// again. Called by one thread at a time; what it gave may go on any.
package protocol NGramRowCache: AnyObject, Sendable {
  /// A row for each key, in device memory. `missing` is asked once, for the rows in host memory of the
  /// different keys that are not there, by the places where they occur first; all in the cache's
  /// format, readable until this call returns. Key 0 has a row of zeros.
  ///
  /// Throws what `missing` throws, and the device's errors; then nothing was kept.
  func rows(for keys: [UInt64], missing: ([Int]) throws -> [NGramRow]) throws -> CachedRows
}

/// What a cache found. The addresses are good as long as `owner` lives.
package struct CachedRows: Sendable {
  /// One a key.
  package let rows: [NGramRow]
  /// For each key its place among those that were missing, or -1.
  package let missing: [Int32]
  package let owner: any AnyObject & Sendable

  package init(rows: [NGramRow], missing: [Int32], owner: any AnyObject & Sendable) {
    self.rows = rows
    self.missing = missing
    self.owner = owner
  }
}
