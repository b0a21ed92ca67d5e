import Scheduler
import TestSupport
import Testing

@Suite struct QuotaTests {
  private let start = ContinuousClock.now
  private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

  /// It leaves half of the bucket, and the places of the queue, to whoever waits.
  @Test func theBackgroundLeavesHalf() throws {
    var quota = Quota()
    let now = ContinuousClock.now
    let limits = QuotaLimits(tokensPerSecond: 10, burst: 100, sequences: 2)
    func enter(_ tokens: Int, after seconds: Double = 0) throws(Quota.Refusal) {
      try quota.enter(
        sequences: 50, tokens: tokens, limits, at: now + .seconds(seconds), isBackground: true)
    }
    try enter(40)
    #expect(quota.sequences == 0)
    #expect(throws: Quota.Refusal.tokens(seconds: 1)) { try enter(20) }
    try enter(20, after: 1)
    // More than half of the bucket waits for a full one.
    #expect(throws: Quota.Refusal.tokens(seconds: 5)) { try enter(1000, after: 1) }
    try quota.enter(sequences: 2, tokens: 50, limits, at: now + .seconds(1))
    try enter(1000, after: 11)
    #expect(quota.level(limits, at: now + .seconds(11)) == -900)
  }

  @Test func tokensFlowAtTheirRate() throws {
    let limits = QuotaLimits(tokensPerSecond: 100, burst: 500)
    var quota = Quota()
    #expect(quota.level(limits, at: start) == 500)
    try quota.enter(sequences: 2, tokens: 450, limits, at: start)
    #expect(throws: Quota.Refusal.tokens(seconds: 0.5)) {
      try quota.enter(sequences: 1, tokens: 100, limits, at: start)
    }
    // What was refused has taken nothing.
    #expect(quota.level(limits, at: start) == 50 && quota.sequences == 2)
    try quota.enter(sequences: 1, tokens: 100, limits, at: at(0.5))
    #expect(quota.level(limits, at: at(100)) == 500, "no more than the burst gathers")
    quota.leave(sequences: 3)
    #expect(!quota.isIdle(limits, at: at(1)) && quota.isIdle(limits, at: at(100)))
  }

  /// A request that is larger than the bucket is let in by a full one, once, and paid for.
  @Test func aLargeRequestLeavesADebt() throws {
    let limits = QuotaLimits(tokensPerSecond: 10, burst: 50)
    var quota = Quota()
    try quota.enter(sequences: 1, tokens: 150, limits, at: start)
    #expect(quota.level(limits, at: start) == -100)
    #expect(throws: Quota.Refusal.tokens(seconds: 10.1)) {
      try quota.enter(sequences: 1, tokens: 1, limits, at: start)
    }
    #expect(throws: Quota.Refusal.tokens(seconds: 15)) {
      try quota.enter(sequences: 1, tokens: 1000, limits, at: start)
    }
    try quota.enter(sequences: 1, tokens: 1000, limits, at: at(15))
  }

  @Test func requestsAndSequencesAreCounted() throws {
    let limits = QuotaLimits(requests: 2, sequences: 5)
    var quota = Quota()
    try quota.begin(limits)
    try quota.begin(limits)
    #expect(throws: Quota.Refusal.requests) { try quota.begin(limits) }
    try quota.enter(sequences: 4, tokens: 1 << 40, limits, at: start)
    #expect(throws: Quota.Refusal.sequences) {
      try quota.enter(sequences: 2, tokens: 1, limits, at: start)
    }
    try quota.enter(sequences: 1, tokens: 1, limits, at: start)
    quota.leave(sequences: 5)
    quota.end()
    try quota.begin(limits)
    #expect(quota.requests == 2 && quota.sequences == 0)
    // Limits that are changed hold from then on.
    #expect(throws: Quota.Refusal.requests) { try quota.begin(QuotaLimits(requests: 1)) }
    try quota.begin(QuotaLimits())
  }

  /// Whatever is asked and when: over any time no more goes in than the rate and a burst say, a request
  /// that waits as long as it was told is let in, and counts end where they began.
  @Test func fuzzedQuotasHold() throws {
    try Fuzz.run { random, seed in
      let (rate, burst) = (
        Double.random(in: 1...1000, using: &random), Double.random(in: 1...5000, using: &random)
      )
      let limits = QuotaLimits(tokensPerSecond: rate, burst: burst)
      var (quota, time, taken, largest) = (Quota(), 0.0, 0.0, 0.0)
      for _ in 0..<200 {
        time += Double.random(in: 0...3, using: &random)
        let tokens = Int.random(in: 1...4000, using: &random)
        do throws(Quota.Refusal) {
          try quota.enter(sequences: 1, tokens: tokens, limits, at: at(time))
        } catch {
          guard case .tokens(let seconds) = error else { throw error }
          #expect(seconds > 0, "seed \(seed)")
          time += seconds + 1e-6
          try quota.enter(sequences: 1, tokens: tokens, limits, at: at(time))
        }
        taken += Double(tokens)
        largest = max(largest, Double(tokens))
        quota.leave(sequences: 1)
        #expect(taken <= rate * time + burst + largest + 1, "seed \(seed)")
      }
      #expect(quota.sequences == 0)
    }
  }
}
