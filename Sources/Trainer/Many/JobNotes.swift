internal import Dispatch
package import Manager
internal import Synchronization

/// Writes down how far jobs are, at most once a second, on a thread of its own: neither training nor the
/// tasks of others wait for the disk.
package final class JobNotes {
  private let running: [RunningJob]
  private let registry: any RegistryStore
  private let queue = DispatchQueue(label: "vbert.job-notes")
  private let isWriting = Shared()
  private var waiting: [Int: [String: Double]] = [:]
  private var last: ContinuousClock.Instant?

  private final class Shared: Sendable {
    let flag = Mutex(false)
  }

  package init(_ running: [RunningJob], in registry: any RegistryStore) {
    (self.running, self.registry) = (running, registry)
  }

  package func hear(_ event: TrainingEvent, now: ContinuousClock.Instant) {
    guard case .epoch(let job, let epoch) = event else { return }
    waiting[job] = epoch.dev.values.merging(["epoch": Double(epoch.number)]) { $1 }
    guard last.map({ now - $0 >= .seconds(1) }) ?? true else { return }
    let isFree = isWriting.flag.withLock { flag in
      defer { flag = true }
      return !flag
    }
    guard isFree else { return }
    last = now
    let progress = waiting.sorted { $0.key < $1.key }.map {
      (job: running[$0.key], metrics: $0.value)
    }
    waiting.removeAll()
    queue.async { [registry, isWriting] in
      // Progress that cannot be written down is no reason to stop.
      try? blocking { () async throws(RegistryError) in try await registry.note(progress) }
      isWriting.flag.withLock { $0 = false }
    }
  }

  /// Waits for what is being written: nothing is noted of a job that has ended.
  package func end() async {
    await withCheckedContinuation { done in queue.async { done.resume() } }
  }
}
