package import Model

/// The part of a registry that keeps batches.
package protocol BatchStore: Sendable {
  /// Throws `noTenant`, `noFile`, `tooManyWaiting`.
  func create(_ new: NewBatch) async throws(RegistryError) -> BatchRecord

  /// nil for nobody's, and where a tenant is given for another's.
  func batch(_ id: String, of tenant: Name?) async throws(RegistryError) -> BatchRecord?

  /// The newest first, those older than the one of that id; of one tenant where it is named.
  func batches(
    of tenant: Name?, after id: String?, limit: Int
  ) async throws(RegistryError) -> [BatchRecord]

  /// Asks for its end; what was answered by then stays. Throws `noBatch`, `batchIsOver`.
  func cancel(batch id: String, of tenant: Name?) async throws(RegistryError) -> BatchRecord

  /// One that is not over: the one that has waited longest for its turn. nil where there is none. It has had its turn
  /// by that.
  func nextBatch() async throws(RegistryError) -> BatchRecord?

  /// Writes down how far it is. Returns its state, which may say that it is to end.
  func note(
    _ progress: BatchProgress, of number: Int64
  ) async throws(RegistryError) -> BatchState

  /// It is over with that progress, and these files of what came of it are there.
  func end(
    batch number: Int64, as state: BatchState, error: String?, _ progress: BatchProgress,
    files: [FileRecord]
  ) async throws(RegistryError)
}
