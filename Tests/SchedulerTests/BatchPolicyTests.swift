import Scheduler
import Testing

@Suite struct BatchPolicyTests {
  private let start = ContinuousClock.now

  @Test func anIdleDeviceTakesWhatThereIs() {
    let policy = BatchPolicy(tokenBudget: 1000, maxSequences: 10)
    #expect(policy.decide(sequences: 0, tokens: 0, now: start) == .wait(until: nil))
    #expect(policy.decide(sequences: 1, tokens: 5, now: start) == .close)
  }

  @Test func aFullBatchNeverWaits() {
    var policy = BatchPolicy(tokenBudget: 1000, maxSequences: 10)
    policy.note(.closed(tokens: 10))
    policy.note(.started(tokens: 10, at: start))
    #expect(policy.decide(sequences: 3, tokens: 1000, now: start) == .close)
    #expect(policy.decide(sequences: 10, tokens: 20, now: start) == .close)
  }

  /// 1 ms a token to compute, 0.1 ms to prepare: 100 queued tokens close 10 ms and a margin before a
  /// batch of 500 ends.
  @Test func theNextBatchIsPreparedJustInTime() throws {
    var policy = BatchPolicy(tokenBudget: 1000, maxSequences: 10)
    policy.note(.closed(tokens: 100))
    #expect(policy.decide(sequences: 1, tokens: 100, now: start) == .wait(until: nil))
    policy.note(.prepared(tokens: 100, took: .milliseconds(10)))
    policy.note(.started(tokens: 100, at: start))
    policy.note(.ended(tokens: 100, took: .milliseconds(100)))
    #expect(policy.decide(sequences: 1, tokens: 100, now: start) == .close)
    #expect(abs(policy.drainRate - 1000) < 1)

    policy.note(.closed(tokens: 500))
    policy.note(.prepared(tokens: 500, took: .milliseconds(50)))
    policy.note(.started(tokens: 500, at: start))
    guard case .wait(let until?) = policy.decide(sequences: 1, tokens: 100, now: start) else {
      Issue.record("should wait")
      return
    }
    let wait = (until - start) / .milliseconds(1)
    #expect(485 < wait && wait < 490)
    #expect(policy.decide(sequences: 1, tokens: 100, now: until) == .close)
    #expect(policy.decide(sequences: 2, tokens: 200, now: until - .milliseconds(9)) == .close)
  }

  @Test func anAbandonedBatchLeavesTheDeviceIdle() {
    var policy = BatchPolicy(tokenBudget: 1000, maxSequences: 10)
    policy.note(.closed(tokens: 1))
    policy.note(.abandoned(tokens: 1))
    #expect(policy.decide(sequences: 1, tokens: 1, now: start) == .close)
  }
}
