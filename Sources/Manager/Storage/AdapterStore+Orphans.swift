package import Foundation

extension AdapterStore {
  /// How long a blob that no version knows is kept, in seconds: long enough to find out that it was
  /// the registry that was wrong.
  package static let orphanAge = 7 * 24 * 3600

  /// Puts the blobs aside that no version knows, and deletes those that have been aside for `age` seconds
  /// and are still unknown. What a version knows again comes back.
  ///
  /// Meant for the background after a start: it holds up no publisher for long, nor waits for one. Throws
  /// the registry's errors, for a damaged one before anything is touched: an index that has lost its
  /// entries knows no blob.
  @discardableResult
  package func collectOrphans(
    age: Int = AdapterStore.orphanAge, now: Date = Date()
  ) async throws -> OrphanReport {
    try await registry.checkSoundness()
    return try await blobs.sweep(age: age, now: now) {
      [registry] prefix async throws(RegistryError) in
      try await registry.blobs(prefix: prefix)
    }
  }
}
