/// When to close the next batch.
///
/// A batch closes when it is full, at once when the device is idle, and otherwise as late as still
/// lets it be prepared before the running one ends: until then whoever arrives may join it.
///
/// A value: events in, decisions out; times are given, never asked for.
package struct BatchPolicy: Sendable {
  /// Most tokens, and most sequences, of a batch.
  package let tokenBudget: Int
  package let maxSequences: Int

  package enum Event: Sendable {
    /// A batch was closed and is being prepared.
    case closed(tokens: Int)
    /// It is ready to run; preparing took this long.
    case prepared(tokens: Int, took: Duration)
    case started(tokens: Int, at: ContinuousClock.Instant)
    case ended(tokens: Int, took: Duration)
    /// A batch ended before it ran: there was nothing left in it.
    case abandoned(tokens: Int)
  }

  package enum Decision: Sendable, Equatable {
    case close
    /// Ask again at that time, or at the next event or arrival.
    case wait(until: ContinuousClock.Instant?)
  }

  /// Seconds a token, moving averages.
  private var prepareCost = 0.0
  private var computeCost = 0.0
  private var runningUntil: ContinuousClock.Instant?
  /// Batches closed and not ended.
  private var open = 0

  package init(tokenBudget: Int, maxSequences: Int) {
    precondition(tokenBudget > 0 && maxSequences > 0)
    self.tokenBudget = tokenBudget
    self.maxSequences = maxSequences
  }

  /// Tokens that leave the queue in a second, as measured; 0 before the first batch.
  package var drainRate: Double { computeCost > 0 ? 1 / max(computeCost, prepareCost) : 0 }

  /// No batch is being prepared, waiting or running.
  package var isIdle: Bool { open == 0 }

  package mutating func note(_ event: Event) {
    switch event {
    case .closed: open += 1
    case .prepared(let tokens, let took): BatchPolicy.learn(&prepareCost, tokens, took)
    case .started(let tokens, let now):
      runningUntil = now + .seconds(computeCost * Double(tokens))
    case .ended(let tokens, let took):
      BatchPolicy.learn(&computeCost, tokens, took)
      runningUntil = nil
      open -= 1
    case .abandoned: open -= 1
    }
  }

  private static func learn(_ cost: inout Double, _ tokens: Int, _ took: Duration) {
    let seen = (took / .seconds(1)) / Double(max(tokens, 1))
    cost = cost == 0 ? seen : 0.8 * cost + 0.2 * seen
  }

  /// What to do with `sequences` queued, `tokens` in all.
  package func decide(sequences: Int, tokens: Int, now: ContinuousClock.Instant) -> Decision {
    if sequences == 0 { return .wait(until: nil) }
    if isIdle || tokens >= tokenBudget || sequences >= maxSequences { return .close }
    // One is being prepared or has not started: it will be the running one soon.
    guard let runningUntil else { return .wait(until: nil) }
    let latest = runningUntil - .seconds(prepareCost * Double(tokens)) - BatchPolicy.margin
    return latest <= now ? .close : .wait(until: latest)
  }

  /// Threads do not wake to the microsecond.
  private static let margin = Duration.microseconds(500)
}
