/// When to close the next batch, and what goes into it.
///
/// A batch closes at once when the device is idle, and otherwise as late as still lets it be prepared
/// before the running one ends, full or not: until then whoever arrives may join it. It takes in what
/// is foreseen to be prepared and computed within `limit`, so that who has just missed it waits no
/// longer than that for the next. A base whose speed is not known yet starts with small batches.
///
/// A value: events in, decisions out; times are given, never asked for.
package struct BatchPolicy: Sendable {
  /// Most tokens, and most sequences, of a batch.
  package let tokenBudget: Int
  package let maxSequences: Int
  /// Most time that a batch is foreseen to take, from its closing to its answers, the wait for the
  /// device left out. One sequence goes alone where it takes longer.
  package let limit: Duration

  package enum Event: Sendable {
    /// A batch was closed and is being prepared.
    case closed
    /// Of a batch, what is on this base was made ready: its n-gram rows and its share of the adapters.
    case prepared(base: String, units: Double, tokens: Int, took: Duration)
    /// The device has begun with a batch, which is foreseen to take so long.
    case started(expected: Duration, at: ContinuousClock.Instant)
    /// Of a batch, what is on this base has been computed.
    case computed(base: String, units: Double, tokens: Int, took: Duration)
    /// A batch is over, whether it ran or not.
    case ended
  }

  package enum Decision: Sendable, Equatable {
    case close
    /// Ask again at that time, or at the next event or arrival.
    case wait(until: ContinuousClock.Instant?)
  }

  package private(set) var speed = BatchSpeed()
  /// Seconds a token over all bases, moving averages.
  private var prepareCost = 0.0
  private var computeCost = 0.0
  private var runningUntil: ContinuousClock.Instant?
  /// Batches closed and not ended.
  private var open = 0

  package init(tokenBudget: Int, maxSequences: Int, limit: Duration = .milliseconds(50)) {
    precondition(tokenBudget > 0 && maxSequences > 0 && limit > .zero)
    self.tokenBudget = tokenBudget
    self.maxSequences = maxSequences
    self.limit = limit
  }

  /// Tokens that leave the queue in a second, as measured; 0 before the first batch.
  package var drainRate: Double { computeCost > 0 ? 1 / max(computeCost, prepareCost) : 0 }

  /// No batch is being prepared, waiting or running.
  package var isIdle: Bool { open == 0 }

  package mutating func note(_ event: Event) {
    switch event {
    case .closed: open += 1
    case .prepared(let base, let units, let tokens, let took):
      speed.learn(.prepare, base: base, units: units, took: took)
      BatchPolicy.learn(&prepareCost, tokens, took)
    case .started(let expected, let now): runningUntil = now + expected
    case .computed(let base, let units, let tokens, let took):
      speed.learn(.compute, base: base, units: units, took: took)
      BatchPolicy.learn(&computeCost, tokens, took)
    case .ended:
      runningUntil = nil
      open -= 1
    }
  }

  private static func learn(_ cost: inout Double, _ tokens: Int, _ took: Duration) {
    let seen = (took / .seconds(1)) / Double(max(tokens, 1))
    cost = cost == 0 ? seen : 0.8 * cost + 0.2 * seen
  }

  /// Seconds that so many units of a base are foreseen to take in both stages. Before the base's first
  /// batch as much as lets `coldUnits` of it into one.
  package func price(base: String, units: Double) -> Double {
    guard let compute = speed.seconds(.compute, base: base) else {
      return units * (limit / .seconds(1)) / BatchPolicy.coldUnits
    }
    return units * (compute + (speed.seconds(.prepare, base: base) ?? 0))
  }

  private static let coldUnits = 256.0

  /// How long a stage is foreseen to take with a batch of so many units of each base.
  package func expected(_ stage: BatchSpeed.Stage, _ units: [String: Double]) -> Duration {
    .seconds(
      units.reduce(0) { sum, part in
        sum + (speed.seconds(stage, base: part.key) ?? 0) * (part.value + BatchSpeed.batchUnits)
      })
  }

  /// What to do with `sequences` queued, `tokens` in all.
  package func decide(sequences: Int, tokens: Int, now: ContinuousClock.Instant) -> Decision {
    if sequences == 0 { return .wait(until: nil) }
    if isIdle { return .close }
    // One is being prepared or has not started: it will be the running one soon.
    guard let runningUntil else { return .wait(until: nil) }
    let whole = prepareCost * Double(min(tokens, tokenBudget))
    // A batch is no longer than the limit, whatever the queue.
    let most = (limit / .seconds(1)) * prepareCost / max(prepareCost + computeCost, 1e-12)
    let prepare = Duration.seconds(min(whole, most))
    let latest = runningUntil - prepare - prepare / 4 - BatchPolicy.margin
    return latest <= now ? .close : .wait(until: latest)
  }

  /// Threads do not wake to the microsecond.
  private static let margin = Duration.microseconds(500)
}
