package import Model

/// The part of a registry that keeps files and the fine-tunings that learn from them.
package protocol FineTuningStore: Sendable {
  /// Writes down a file whose bytes are stored. Throws `noTenant`, `overQuota`.
  func create(file: FileRecord) async throws(RegistryError)

  /// nil for nobody's, and where a tenant is given for another's.
  func file(_ id: String, of tenant: Name?) async throws(RegistryError) -> FileRecord?

  /// The newest first, those older than the one of that id; of one tenant, or brought for one purpose, where it is
  /// named.
  func files(
    of tenant: Name?, for purpose: FilePurpose?, after id: String?, limit: Int
  ) async throws(RegistryError) -> [FileRecord]

  /// Its bytes are nobody's from then on. Throws `noFile`, and `fileInUse` while a fine-tuning waits for it.
  func delete(file id: String, of tenant: Name?) async throws(RegistryError)

  /// Which of these files there are, or will be.
  func known(files ids: [String]) async throws(RegistryError) -> Set<String>

  /// Puts it into the queue, with its vBERT where that is new: both or none. Throws `noVBERT`, `vbertExists`,
  /// `overQuota`, `noFile`, `tooManyWaiting`.
  func create(_ new: NewFineTuning) async throws(RegistryError) -> FineTuningRecord

  /// nil for nobody's, and where a tenant is given for another's.
  func fineTuning(_ id: String, of tenant: Name?) async throws(RegistryError) -> FineTuningRecord?

  /// The newest first, those older than the one of that id; of one tenant where it is named.
  func fineTunings(
    of tenant: Name?, after id: String?, limit: Int
  ) async throws(RegistryError) -> [FineTuningRecord]

  /// Cancels, pauses or resumes it: at once where it waits, else whoever runs it does. Throws
  /// `noFineTuning`, `fineTuningIsOver`.
  func change(
    fineTuning id: String, of tenant: Name?, _ change: FineTuningChange
  ) async throws(RegistryError) -> FineTuningRecord

  /// Whether any waits for its turn. Cheap: who runs them asks often.
  func isFineTuningQueued() async throws(RegistryError) -> Bool

  /// The next one in the queue, which runs in this process from now on; nil where none waits. Tenants take
  /// turns, those first of whom fewest run; none has more at once than it may.
  func claimFineTuning() async throws(RegistryError) -> ClaimedFineTuning?

  /// It is no longer run: it is at its end, or waits again. One that was published is left as it is. What was
  /// asked of it is done by that.
  func end(
    _ claimed: ClaimedFineTuning, as state: FineTuningState, error: String?
  ) async throws(RegistryError)

  /// Writes down what happened, and how many tokens were gone through; the oldest events of many go.
  func note(
    _ events: [FineTuningEvent], of number: Int64, tokens: Int?
  ) async throws(RegistryError)

  /// Those after the event of that number, the oldest first.
  func events(
    of number: Int64, after event: Int64, limit: Int
  ) async throws(RegistryError) -> [FineTuningEvent]
}
