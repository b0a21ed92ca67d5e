internal import Dispatch
internal import Synchronization

/// Where requests come in and batches come out, each to the lane that asks: the fair queue and the lanes'
/// batch policies under one lock, which is held for microseconds and never while anything is computed.
package final class Intake: Sendable {
  fileprivate struct State {
    var batcher: Batcher<Work>
    var isStopping = false
    /// By lane: its prefetch thread waits for its `wakes`.
    var isSleeping: [Bool]
  }
  private let state: Mutex<State>
  private let wakes: [DispatchSemaphore]
  package let tokenBudget: Int
  /// How what was taken in has ended.
  package let counts = SequenceCounts()

  /// Every lane begins with that policy, and learns for itself.
  package init(bounds: FairQueue<Work>.Bounds, policy: BatchPolicy, lanes: Int = 1) {
    tokenBudget = policy.tokenBudget
    wakes = (0..<lanes).map { _ in DispatchSemaphore(value: 0) }
    state = Mutex(
      State(
        batcher: Batcher(bounds: bounds, policy: policy, lanes: lanes),
        isSleeping: Array(repeating: false, count: lanes)))
  }

  package var lanes: Int { wakes.count }

  // MARK: The way in

  /// One reply a request, in their order; all of them are taken in, or none. The first failure ends
  /// the others, and so does the task's cancellation. A probe is the server's own: queues that are
  /// full take it all the same, and it is not counted.
  package func replies(
    to requests: [Request], _ arrival: Arrival, isProbe: Bool = false
  ) async throws(ServingError) -> [Reply] {
    if Task.isCancelled { throw .cancelled }
    if let long = requests.first(where: { $0.length > tokenBudget }) {
      throw .tooLong(tokens: long.length, budget: tokenBudget)
    }
    let waiter = Waiter(count: requests.count)
    let keys = try admit(requests, arrival, waiter, isProbe: isProbe)
    let outcome = await withTaskCancellationHandler {
      await Result { () async throws(ServingError) in try await waiter.replies() }
    } onCancel: {
      waiter.fail(.cancelled)
    }
    if case .failure = outcome { forget(keys) }
    return try outcome.get()
  }

  private func admit(
    _ requests: [Request], _ arrival: Arrival, _ waiter: Waiter, isProbe: Bool
  ) throws(ServingError) -> Range<UInt64> {
    let result = state.withLock { state -> Result<(Range<UInt64>, [Int]), ServingError> in
      guard !state.isStopping else { return .failure(.stopping) }
      guard arrival.deadline > .now else { return .failure(.timedOut) }
      let counts = isProbe ? nil : counts
      let works = requests.enumerated().map { place, request in
        Work(
          request, for: waiter, place: place, deadline: arrival.deadline, counts: counts,
          isBackground: arrival.isBackground)
      }
      do throws(FairQueue<Work>.Full) {
        let keys = try state.batcher.admit(
          works, tenant: arrival.tenant, weight: arrival.weight, deadline: arrival.deadline,
          isBounded: !isProbe && !arrival.isBackground)
        return .success((keys, state.rouse()))
      } catch {
        let seconds = Intake.retryAfter(
          tokens: state.batcher.queue.tokens, rate: state.drainRate)
        let refusal = ServingError.overloaded(tenant: error == .tenant, retryAfter: seconds)
        for work in works { work.answer(.failure(refusal)) }
        return .failure(refusal)
      }
    }
    let (keys, sleepers) = try result.get()
    wake(sleepers)
    return keys
  }

  /// Until half of what is queued has gone, as fast as it goes at present: 1 to 60 seconds.
  private static func retryAfter(tokens: Int, rate: Double) -> Int {
    guard rate > 0 else { return 1 }
    return Int(min(60, max(1, (Double(tokens) / 2 / rate).rounded(.up))))
  }

  private func forget(_ keys: Range<UInt64>) {
    let gone = state.withLock { state in keys.compactMap { state.batcher.cancel($0) } }
    for work in gone { work.answer(.failure(.cancelled)) }
  }

  // MARK: The way out, for the pipeline's threads

  /// Waits until the lane's policy closes a batch; nil when the intake has stopped and nothing is queued.
  package func nextBatch(lane: Int = 0) -> Batcher<Work>.Batch? {
    enum Step {
      case batch(Batcher<Work>.Batch)
      case sleep(until: ContinuousClock.Instant?)
      case end
    }
    while true {
      let (step, late) = state.withLock { state -> (Step, [Work]) in
        let now = ContinuousClock.now
        let late = state.batcher.expire(now)
        if state.batcher.queue.count == 0, state.isStopping { return (.end, late) }
        switch state.batcher.decide(now: now, lane: lane) {
        case .close: return (.batch(state.batcher.close(lane: lane)), late)
        case .wait(let until):
          state.isSleeping[lane] = true
          let deadline = state.batcher.queue.earliestDeadline
          return (.sleep(until: until.map { min($0, deadline ?? $0) } ?? deadline), late)
        }
      }
      for work in late { work.answer(.failure(.timedOut)) }
      switch step {
      case .batch(let batch):
        for work in batch.unwanted { work.answer(.failure(.cancelled)) }
        return batch
      case .end: return nil
      case .sleep(let until): sleep(lane, until: until)
      }
    }
  }

  /// Answers what has waited too long, whatever the pipeline's threads are doing.
  package func expire() {
    let late = state.withLock { $0.batcher.expire(.now) }
    for work in late { work.answer(.failure(.timedOut)) }
  }

  private func sleep(_ lane: Int, until: ContinuousClock.Instant?) {
    if let until {
      let seconds = max(0, (until - .now) / .seconds(1))
      _ = wakes[lane].wait(timeout: .now() + seconds)
    } else {
      wakes[lane].wait()
    }
    // A signal that comes between the time-out and this is one turn of the loop for nothing.
    state.withLock { $0.isSleeping[lane] = false }
  }

  private func wake(_ sleepers: [Int]) {
    for lane in sleepers { wakes[lane].signal() }
  }

  package func note(_ event: BatchPolicy.Event, lane: Int = 0) {
    wake(
      state.withLock { state in
        state.batcher.note(event, lane: lane)
        return state.rouse(lane)
      })
  }

  // MARK: Its end and its state

  /// Takes nothing in from now on; what is queued is still given out.
  package func stop() {
    wake(
      state.withLock { state in
        state.isStopping = true
        return state.rouse()
      })
  }

  package var isStopping: Bool { state.withLock(\.isStopping) }

  /// Something was given out that has not been computed yet.
  package var hasOpenBatch: Bool { state.withLock { !$0.batcher.policies.allSatisfy(\.isIdle) } }

  /// How long a lane's stage is foreseen to take with so many units of each base.
  package func expected(
    _ stage: BatchSpeed.Stage, _ units: [String: Double], lane: Int = 0
  ) -> Duration {
    state.withLock { $0.batcher.policies[lane].expected(stage, units) }
  }

  /// What is queued, and tokens a second as measured.
  package var load: (sequences: Int, tokens: Int, drainRate: Double) {
    state.withLock { state in
      (state.batcher.queue.count, state.batcher.queue.tokens, state.drainRate)
    }
  }
}

extension Intake.State {
  /// The sleepers that have to be woken, once: all, since what one of them leaves another may take.
  fileprivate mutating func rouse() -> [Int] {
    isSleeping.indices.flatMap { rouse($0) }
  }

  fileprivate mutating func rouse(_ lane: Int) -> [Int] {
    defer { isSleeping[lane] = false }
    return isSleeping[lane] ? [lane] : []
  }

  /// Tokens a second of all lanes, as measured.
  fileprivate var drainRate: Double { batcher.policies.reduce(0) { $0 + $1.drainRate } }
}

extension Result {
  init(_ body: () async throws(Failure) -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
