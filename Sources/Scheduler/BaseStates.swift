/// What is known of each base: in service, being loaded, or failed and not worth another try yet.
///
/// A value: events in, decisions out, times given. One load at a time for each base; after a failure
/// the next try waits 1 s, 2, 4 ... 60, and until then the failure is the answer.
struct BaseStates<Base: Sendable, Waiter: Sendable>: Sendable {
  enum Decision {
    case ready(Base)
    /// The failure of the last try; another one is not due before long.
    case failed(any Error)
    /// Whoever hears this loads, and says how it went with `ended`.
    case load
    /// Somebody loads; `wait` says who wants to hear of it.
    case wait
  }

  private struct Failure {
    let error: any Error
    let pause: Duration
    let until: ContinuousClock.Instant
  }

  private enum State {
    case ready(Base)
    case loading([UInt64: Waiter], after: Duration?)
    case failed(Failure)
  }

  static var firstPause: Duration { .seconds(1) }
  static var longestPause: Duration { .seconds(60) }
  /// Names that failed are remembered up to this many, however many are asked for.
  static var mostFailures: Int { 1024 }

  private var states: [String: State] = [:]
  private var nextWaiter: UInt64 = 0

  func base(_ name: String) -> Base? {
    if case .ready(let base) = states[name] { base } else { nil }
  }

  var bases: [Base] {
    states.values.compactMap { if case .ready(let base) = $0 { base } else { nil } }
  }

  mutating func ask(_ name: String, now: ContinuousClock.Instant) -> Decision {
    switch states[name] {
    case .ready(let base): return .ready(base)
    case .loading: return .wait
    case .failed(let failure) where now < failure.until: return .failed(failure.error)
    case .failed(let failure):
      states[name] = .loading([:], after: failure.pause)
      return .load
    case nil:
      states[name] = .loading([:], after: nil)
      return .load
    }
  }

  /// Whoever is told `wait` (or `load`, and has somebody else load) leaves here whom to tell. The number takes
  /// it out again; nil where the load has ended meanwhile: ask again.
  mutating func wait(for name: String, _ waiter: Waiter) -> UInt64? {
    guard case .loading(var waiters, let after) = states[name] else { return nil }
    nextWaiter += 1
    waiters[nextWaiter] = waiter
    states[name] = .loading(waiters, after: after)
    return nextWaiter
  }

  mutating func forget(_ number: UInt64, of name: String) -> Waiter? {
    guard case .loading(var waiters, let after) = states[name] else { return nil }
    let waiter = waiters.removeValue(forKey: number)
    states[name] = .loading(waiters, after: after)
    return waiter
  }

  /// Returns who waited.
  mutating func ended(
    _ name: String, _ result: Result<Base, any Error>, now: ContinuousClock.Instant
  ) -> [Waiter] {
    guard case .loading(let waiters, let after) = states[name] else { return [] }
    switch result {
    case .success(let base): states[name] = .ready(base)
    case .failure(let error):
      let pause = after.map { min($0 * 2, Self.longestPause) } ?? Self.firstPause
      states[name] = .failed(Failure(error: error, pause: pause, until: now + pause))
      dropOldFailures()
    }
    return Array(waiters.values)
  }

  private mutating func dropOldFailures() {
    let failed = states.compactMap { name, state -> (String, ContinuousClock.Instant)? in
      if case .failed(let failure) = state { (name, failure.until) } else { nil }
    }
    guard failed.count > Self.mostFailures else { return }
    if let oldest = failed.min(by: { $0.1 < $1.1 }) { states[oldest.0] = nil }
  }
}
