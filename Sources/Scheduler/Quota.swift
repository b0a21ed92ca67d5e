/// What a tenant may use at most; nil is as much as there is.
package struct QuotaLimits: Sendable, Hashable {
  /// Tokens a second on average, and how many at once on top of what has gathered.
  package var tokensPerSecond: Double?
  package var burst: Double?
  /// Requests that are under way at once.
  package var requests: Int?
  /// Sequences that wait in the queue.
  package var sequences: Int?

  package init(
    tokensPerSecond: Double? = nil, burst: Double? = nil, requests: Int? = nil,
    sequences: Int? = nil
  ) {
    (self.tokensPerSecond, self.burst) = (tokensPerSecond, burst)
    (self.requests, self.sequences) = (requests, sequences)
  }

  /// Where none is said: what comes in 10 seconds.
  package var depth: Double? { tokensPerSecond.map { burst ?? 10 * $0 } }
}

/// What one tenant uses of what it may: a token bucket and counts. A value: events in, answers out, no clock
/// of its own.
package struct Quota: Sendable {
  /// Which limit is in the way, and in how many seconds it will not be: nil where that depends on others.
  package enum Refusal: Error, Equatable {
    case tokens(seconds: Double)
    case requests
    case sequences
  }

  /// Requests under way.
  package private(set) var requests = 0
  /// Sequences that were let in and are not answered.
  package private(set) var sequences = 0
  /// Tokens in the bucket; below 0 after a request of more than it held.
  private var level: Double?
  private var time: ContinuousClock.Instant?

  package init() {}

  /// Nothing is under way, and the bucket is full: nothing to remember.
  package func isIdle(_ limits: QuotaLimits, at now: ContinuousClock.Instant) -> Bool {
    requests == 0 && sequences == 0
      && limits.depth.map { level(limits, at: now) >= $0 } ?? true
  }

  /// A request begins; `end` ends it. Throws `requests`.
  package mutating func begin(_ limits: QuotaLimits) throws(Refusal) {
    if let most = limits.requests, requests >= most { throw .requests }
    requests += 1
  }

  package mutating func end() { requests -= 1 }

  /// Lets sequences of so many tokens in, all or none; `leave` takes them off the count. A request of more
  /// tokens than the bucket is deep waits for a full one, and leaves a debt. What is asked in the background leaves half
  /// of the bucket to whoever waits for an answer, and takes none of the sequences. Throws `tokens`, `sequences`.
  package mutating func enter(
    sequences count: Int, tokens: Int, _ limits: QuotaLimits, at now: ContinuousClock.Instant,
    isBackground: Bool = false
  ) throws(Refusal) {
    let count = isBackground ? 0 : count
    if let most = limits.sequences, sequences + count > most { throw .sequences }
    if let rate = limits.tokensPerSecond, let depth = limits.depth {
      let level = level(limits, at: now)
      let kept = isBackground ? depth / 2 : 0
      let needed = kept + min(Double(tokens), depth - kept)
      if level < needed { throw .tokens(seconds: (needed - level) / rate) }
      (self.level, time) = (level - Double(tokens), now)
    }
    sequences += count
  }

  package mutating func leave(sequences count: Int) { sequences -= count }

  /// Tokens that are there now, at most `depth`.
  package func level(_ limits: QuotaLimits, at now: ContinuousClock.Instant) -> Double {
    guard let rate = limits.tokensPerSecond, let depth = limits.depth else { return .infinity }
    guard let level, let time else { return depth }
    return min(depth, level + rate * max(0, (now - time) / .seconds(1)))
  }
}
