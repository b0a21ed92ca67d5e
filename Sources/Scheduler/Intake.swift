internal import Dispatch
internal import Synchronization

/// Where requests come in and batches come out: the fair queue and the batch policy under one lock,
/// which is held for microseconds and never while anything is computed.
package final class Intake: Sendable {
  fileprivate struct State {
    var queue: FairQueue<Work>
    var policy: BatchPolicy
    var isStopping = false
    /// The prefetch thread waits for `wake`.
    var isSleeping = false
  }
  private let state: Mutex<State>
  private let wake = DispatchSemaphore(value: 0)
  package let tokenBudget: Int

  package init(bounds: FairQueue<Work>.Bounds, policy: BatchPolicy) {
    tokenBudget = policy.tokenBudget
    state = Mutex(State(queue: FairQueue(bounds: bounds), policy: policy))
  }

  // MARK: The way in

  /// One reply a request, in their order; all of them are taken in, or none. The first failure ends
  /// the others, and so does the task's cancellation.
  package func replies(
    to requests: [Request], _ arrival: Arrival
  ) async throws(ServingError) -> [Reply] {
    if let long = requests.first(where: { $0.ids.count > tokenBudget }) {
      throw .tooLong(tokens: long.ids.count, budget: tokenBudget)
    }
    let waiter = Waiter(count: requests.count)
    let keys = try admit(requests, arrival, waiter)
    let outcome = await withTaskCancellationHandler {
      await Result { () async throws(ServingError) in try await waiter.replies() }
    } onCancel: {
      waiter.fail(.cancelled)
    }
    if case .failure = outcome { forget(keys) }
    return try outcome.get()
  }

  private func admit(
    _ requests: [Request], _ arrival: Arrival, _ waiter: Waiter
  ) throws(ServingError) -> Range<UInt64> {
    let result = state.withLock { state -> Result<(Range<UInt64>, Bool), ServingError> in
      guard !state.isStopping else { return .failure(.stopping) }
      let works = requests.enumerated().map { place, request in
        (element: Work(request, for: waiter, place: place), tokens: request.ids.count)
      }
      do throws(FairQueue<Work>.Full) {
        let keys = try state.queue.admit(
          works, tenant: arrival.tenant, weight: arrival.weight, deadline: arrival.deadline)
        return .success((keys, state.rouse()))
      } catch {
        let seconds = Intake.retryAfter(tokens: state.queue.tokens, rate: state.policy.drainRate)
        return .failure(.overloaded(tenant: error == .tenant, retryAfter: seconds))
      }
    }
    let (keys, mustWake) = try result.get()
    if mustWake { wake.signal() }
    return keys
  }

  /// Until half of what is queued has gone, as fast as it goes at present: 1 to 60 seconds.
  private static func retryAfter(tokens: Int, rate: Double) -> Int {
    guard rate > 0 else { return 1 }
    return Int(min(60, max(1, (Double(tokens) / 2 / rate).rounded(.up))))
  }

  private func forget(_ keys: Range<UInt64>) {
    let gone = state.withLock { state in keys.compactMap { state.queue.cancel($0) } }
    for work in gone { work.answer(.failure(.cancelled)) }
  }

  // MARK: The way out, for the pipeline's threads

  /// Waits until the policy closes a batch; nil when the intake has stopped and nothing is queued.
  package func nextBatch() -> [Work]? {
    enum Step {
      case batch([Work])
      case sleep(until: ContinuousClock.Instant?)
      case end
    }
    while true {
      let (step, late) = state.withLock { state -> (Step, [Work]) in
        let now = ContinuousClock.now
        let late = state.queue.expire(now)
        let queued = state.queue.count
        if queued == 0, state.isStopping { return (.end, late) }
        switch state.policy.decide(sequences: queued, tokens: state.queue.tokens, now: now) {
        case .close: return (.batch(state.close()), late)
        case .wait(let until):
          state.isSleeping = true
          let deadline = state.queue.earliestDeadline
          return (.sleep(until: until.map { min($0, deadline ?? $0) } ?? deadline), late)
        }
      }
      for work in late { work.answer(.failure(.timedOut)) }
      switch step {
      case .batch(let works): return works
      case .end: return nil
      case .sleep(let until): sleep(until: until)
      }
    }
  }

  private func sleep(until: ContinuousClock.Instant?) {
    if let until {
      let seconds = max(0, (until - .now) / .seconds(1))
      _ = wake.wait(timeout: .now() + seconds)
    } else {
      wake.wait()
    }
    // A signal that comes between the time-out and this is one turn of the loop for nothing.
    state.withLock { $0.isSleeping = false }
  }

  package func note(_ event: BatchPolicy.Event) {
    let mustWake = state.withLock { state in
      state.policy.note(event)
      return state.rouse()
    }
    if mustWake { wake.signal() }
  }

  // MARK: Its end and its state

  /// Takes nothing in from now on; what is queued is still given out.
  package func stop() {
    let mustWake = state.withLock { state in
      state.isStopping = true
      return state.rouse()
    }
    if mustWake { wake.signal() }
  }

  package var isStopping: Bool { state.withLock(\.isStopping) }

  /// Something was given out that has not been computed yet.
  package var hasOpenBatch: Bool { state.withLock { !$0.policy.isIdle } }

  /// What is queued, and tokens a second as measured.
  package var load: (sequences: Int, tokens: Int, drainRate: Double) {
    state.withLock { ($0.queue.count, $0.queue.tokens, $0.policy.drainRate) }
  }
}

extension Intake.State {
  /// True when the sleeper has to be woken, once.
  fileprivate mutating func rouse() -> Bool {
    defer { isSleeping = false }
    return isSleeping
  }

  /// Fills a batch in the queue's order.
  fileprivate mutating func close() -> [Work] {
    var works: [Work] = []
    var room = policy.tokenBudget
    while works.count < policy.maxSequences, let work = queue.next(within: room) {
      room -= work.tokens
      works.append(work)
    }
    policy.note(.closed(tokens: policy.tokenBudget - room))
    return works
  }
}

extension Result {
  init(_ body: () async throws(Failure) -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
