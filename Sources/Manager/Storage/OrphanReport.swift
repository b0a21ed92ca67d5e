/// What a collection did and found.
package struct OrphanReport: Sendable, Equatable {
  package init() {}

  /// Blobs that no version knows, moved to the quarantine.
  package var quarantinedFiles = 0
  /// Deleted: blobs that have been in the quarantine long enough, and unfinished files.
  package var removedFiles = 0
  package var removedBytes = 0
  /// Taken back from the quarantine, since a version knows them again.
  package var restoredFiles = 0
  /// Shards that a publisher was busy in; the next collection sees them.
  package var skippedShards = 0
  /// Blobs that the registry knows and the disk does not: their versions answer with an error.
  package var missing: [String] = []
  /// Links where a directory of ours is expected: nothing behind them was touched.
  package var links: [String] = []
}
