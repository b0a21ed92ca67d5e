import Scheduler
import Testing

@Suite struct BatchPolicyTests {
  private let start = ContinuousClock.now

  /// A policy that has measured 0.1 ms a unit to prepare and 1 ms to compute.
  private func measured(limit: Duration = .milliseconds(50)) -> BatchPolicy {
    var policy = BatchPolicy(tokenBudget: 1000, maxSequences: 10, limit: limit)
    policy.note(.closed)
    policy.note(.prepared(base: "b", units: 100, tokens: 100, took: .milliseconds(10)))
    policy.note(.started(expected: .zero, at: start))
    policy.note(.computed(base: "b", units: 100, tokens: 100, took: .milliseconds(100)))
    policy.note(.ended)
    return policy
  }

  @Test func anIdleDeviceTakesWhatThereIs() {
    let policy = BatchPolicy(tokenBudget: 1000, maxSequences: 10)
    #expect(policy.decide(sequences: 0, tokens: 0, now: start) == .wait(until: nil))
    #expect(policy.decide(sequences: 1, tokens: 5, now: start) == .close)
  }

  /// 100 queued tokens, 10 ms to prepare: closed that, a quarter of it and a margin before the running
  /// batch ends.
  @Test func theNextBatchIsPreparedJustInTime() throws {
    var policy = measured(limit: .milliseconds(500))
    #expect(policy.decide(sequences: 1, tokens: 100, now: start) == .close)
    #expect(abs(policy.drainRate - 1000) < 1)

    policy.note(.closed)
    #expect(policy.decide(sequences: 1, tokens: 100, now: start) == .wait(until: nil))
    policy.note(.started(expected: .milliseconds(500), at: start))
    guard case .wait(let until?) = policy.decide(sequences: 1, tokens: 100, now: start) else {
      Issue.record("should wait")
      return
    }
    let wait = (until - start) / .milliseconds(1)
    #expect(abs(wait - 487) < 0.01)
    #expect(policy.decide(sequences: 1, tokens: 100, now: until) == .close)
    #expect(policy.decide(sequences: 2, tokens: 200, now: until - .milliseconds(9)) == .close)
  }

  /// Until the device is nearly free somebody may still join, so even a full batch is not closed.
  @Test func aFullQueueClosesNoEarlier() {
    var policy = measured()
    policy.note(.closed)
    policy.note(.started(expected: .milliseconds(50), at: start))
    guard case .wait(let until?) = policy.decide(sequences: 900, tokens: 90_000, now: start) else {
      Issue.record("should wait")
      return
    }
    // The limit's eleventh is what preparing takes of any batch.
    let early = (start + .milliseconds(50) - until) / .milliseconds(1)
    #expect(early > 4 && early < 8)
  }

  @Test func aBatchThatIsOverLeavesTheDeviceIdle() {
    var policy = BatchPolicy(tokenBudget: 1000, maxSequences: 10)
    policy.note(.closed)
    #expect(policy.decide(sequences: 1, tokens: 1, now: start) == .wait(until: nil))
    policy.note(.ended)
    #expect(policy.decide(sequences: 1, tokens: 1, now: start) == .close)
  }

  /// Before its first batch a base's sequences are dear enough that few fit; afterwards they cost what
  /// they took. Bases do not share a speed.
  @Test func pricesAreMeasured() {
    let policy = measured()
    #expect(abs(policy.price(base: "b", units: 10) - 0.011) < 1e-9)
    #expect(abs(policy.price(base: "new", units: 256) - 0.05) < 1e-9)
    #expect(policy.expected(.compute, ["new": 100]) == .zero)
    let expected = policy.expected(.compute, ["b": 100]) / .milliseconds(1)
    #expect(abs(expected - (100 + BatchSpeed.batchUnits)) < 1e-6)
  }

  /// A surprise counts at once, good news little by little; a small batch says little of a large one.
  @Test func speedFollowsWhatBatchesTake() throws {
    var speed = BatchSpeed()
    for _ in 0..<20 { speed.learn(.compute, base: "b", units: 1000, took: .milliseconds(50)) }
    let before = try #require(speed.seconds(.compute, base: "b"))
    #expect(abs(before - 5e-5) < 1e-9)
    speed.learn(.compute, base: "b", units: 10, took: .milliseconds(5))
    let small = try #require(speed.seconds(.compute, base: "b"))
    #expect(small < before * 1.1)
    speed.learn(.compute, base: "b", units: 1000, took: .milliseconds(200))
    let slow = try #require(speed.seconds(.compute, base: "b"))
    #expect(slow > 1.3e-4)
    speed.learn(.compute, base: "b", units: 1000, took: .milliseconds(50))
    let better = try #require(speed.seconds(.compute, base: "b"))
    #expect(better < slow && better > 8e-5)
    #expect(speed.seconds(.prepare, base: "b") == nil)
  }
}
