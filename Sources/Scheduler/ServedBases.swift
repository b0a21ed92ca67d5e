internal import Dispatch
internal import Foundation
package import Model
internal import Synchronization

/// The bases in service, each loaded when something of it is first asked for, on a thread of its own:
/// who asks for one base never waits for another, and a base that cannot be loaded says so at once
/// until the next try is due.
package final class ServedBases: Sendable {
  package typealias Load = @Sendable (_ name: String) throws -> ServedBase
  private typealias States = BaseStates<
    ServedBase, @Sendable (Result<ServedBase, any Error>) -> Void
  >

  private let load: Load
  private let states = Mutex(States())

  /// `load` is called by one thread at a time for each base.
  package init(load: @escaping Load) { self.load = load }

  /// What the vBERT is computed on; blocks while the base is loaded: for threads that may. Throws what
  /// loading throws, and what `ServedBase.pin` does.
  package func pin(_ spec: VBertSpec) throws -> BasePin { try base(named: spec.base).pin(spec) }

  /// The same for tasks, its domain not yet opened: waits without a thread, until `deadline` or the task's
  /// cancellation, and throws `ServingError.timedOut` and `.cancelled` then. The load goes on.
  package func base(
    for spec: VBertSpec, by deadline: ContinuousClock.Instant
  ) async throws -> ServedBase {
    if let base = states.withLock({ $0.base(spec.base) }) { return base }
    return try await loaded(spec.base, by: deadline)
  }

  /// Blocks while the base is loaded.
  package func base(named name: String) throws -> ServedBase {
    if let base = states.withLock({ $0.base(name) }) { return base }
    let done = DispatchSemaphore(value: 0)
    let outcome = Mutex<Result<ServedBase, any Error>?>(nil)
    ask(name) { result in
      outcome.withLock { $0 = result }
      done.signal()
    }
    done.wait()
    guard let result = outcome.withLock({ $0 }) else { throw ServingError.dropped }
    return try result.get()
  }

  /// By name.
  package var loaded: [ServedBase] {
    states.withLock(\.bases).sorted { $0.name < $1.name }
  }

  private func loaded(_ name: String, by deadline: ContinuousClock.Instant) async throws
    -> ServedBase
  {
    let once = Once<Result<ServedBase, any Error>>()
    return try await withTaskCancellationHandler {
      try await withCheckedContinuation { continuation in
        once.set { continuation.resume(returning: $0) }
        guard let number = ask(name, { once.give($0) }) else { return }
        let seconds = max(0, (deadline - .now) / .seconds(1))
        DispatchQueue.global().asyncAfter(deadline: .now() + seconds) { [weak self] in
          once.give(.failure(ServingError.timedOut))
          _ = self?.states.withLock { $0.forget(number, of: name) }
        }
      }.get()
    } onCancel: {
      once.give(.failure(ServingError.cancelled))
    }
  }

  /// `tell` hears the result, now or when the load has ended. The number of who waits, if so.
  @discardableResult
  private func ask(
    _ name: String, _ tell: @escaping @Sendable (Result<ServedBase, any Error>) -> Void
  ) -> UInt64? {
    let (decision, number) = states.withLock { states -> (States.Decision, UInt64?) in
      let decision = states.ask(name, now: .now)
      switch decision {
      case .load, .wait: return (decision, states.wait(for: name, tell))
      case .ready, .failed: return (decision, nil)
      }
    }
    switch decision {
    case .ready(let base): tell(.success(base))
    case .failed(let error): tell(.failure(error))
    case .wait: break
    case .load:
      Thread.detachNewThread { [self] in
        let result = Result { try load(name) }
        for tell in states.withLock({ $0.ended(name, result, now: .now) }) { tell(result) }
      }
    }
    return number
  }
}

/// Takes the first value that comes to whoever waits for it, in either order.
private final class Once<Value: Sendable>: Sendable {
  private struct State {
    var value: Value?
    var take: (@Sendable (Value) -> Void)?
  }
  private let state = Mutex(State())

  func set(_ take: @escaping @Sendable (Value) -> Void) {
    let early = state.withLock { state -> Value? in
      if state.value == nil { state.take = take }
      return state.value
    }
    if let early { take(early) }
  }

  func give(_ value: Value) {
    let take = state.withLock { state -> (@Sendable (Value) -> Void)? in
      guard state.value == nil else { return nil }
      state.value = value
      defer { state.take = nil }
      return state.take
    }
    take?(value)
  }
}
