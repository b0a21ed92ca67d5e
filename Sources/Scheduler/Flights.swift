internal import Synchronization

/// The batches that were closed and are not over, and the watch over them.
final class Flights: Sendable {
  private struct State {
    var works: [Int: [Work]] = [:]
    var watch: HealthWatch
    /// Whose sequences failed of late, the last first.
    var suspects: [PinnedVBert] = []
  }
  private let state: Mutex<State>

  init(_ settings: HealthWatch.Settings) {
    state = Mutex(State(watch: HealthWatch(settings, start: .now)))
  }

  var verdict: HealthWatch.Verdict { state.withLock { $0.watch.verdict(at: .now) } }
  var isHung: Bool { state.withLock { $0.watch.isHung(at: .now) } }
  var suspects: [PinnedVBert] { state.withLock(\.suspects) }

  func note(_ event: HealthWatch.Event) { state.withLock { $0.watch.note(event, at: .now) } }

  func begin(_ batch: Int, _ works: [Work], expected: Duration) {
    state.withLock { state in
      state.works[batch] = works
      state.watch.note(.entered(.prefetch, batch: batch, expected: expected), at: .now)
    }
  }

  func end(_ batch: Int) {
    state.withLock { state in
      state.works[batch] = nil
      state.watch.note(.left(.compute, batch: batch), at: .now)
    }
  }

  func note(failure: BatchFailure) {
    state.withLock { state in
      let others = state.suspects.filter { !failure.vberts.contains($0) }
      state.suspects = Array((failure.vberts.filter { !$0.isProbe } + others).prefix(3))
      state.watch.note(.failed, at: .now)
    }
  }

  /// Ends the waiting for what is too late, and says what else is to be done.
  func check() -> (probe: Bool?, hung: [BatchFailure]) {
    let now = ContinuousClock.now
    let (works, actions) = state.withLock { state in
      (state.works, state.watch.actions(at: now))
    }
    for work in works.values.joined() where work.deadline <= now { work.giveUp(.timedOut) }
    var probe: Bool?
    var hung: [BatchFailure] = []
    for action in actions {
      switch action {
      case .giveUp(let batch, let why):
        let lost = works[batch] ?? []
        for work in lost { work.giveUp(.hung(why)) }
        hung.append(BatchFailure(stage: .hung, sequences: lost.count, why: why))
      case .probe(let inDoubt): probe = inDoubt
      }
    }
    return (probe, hung)
  }
}
