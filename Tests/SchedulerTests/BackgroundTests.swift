import Testing

@testable import Scheduler

/// What has time takes what others leave.
@Suite struct BackgroundTests {
  private struct Text: Batchable {
    var name: Int
    var tokens = 10
    var isBackground = false
    var units: Double { BatchSpeed.units(tokens: tokens) }
    let base = "tiny"
    let isUnwanted = false
  }

  private func batcher(_ total: Int = 1000) -> Batcher<Text> {
    var batcher = Batcher<Text>(
      bounds: .init(total: total, perTenant: nil),
      policy: BatchPolicy(tokenBudget: 100_000, maxSequences: 1000, limit: .milliseconds(50)))
    // 0.1 ms a unit: some 28 texts in 40 ms, three in 5.
    batcher.note(.computed(base: "tiny", units: 1000, tokens: 10, took: .milliseconds(100)))
    return batcher
  }

  private func admit(
    _ count: Int, _ arrival: Arrival, to batcher: inout Batcher<Text>
  ) throws {
    let texts = (0..<count).map { Text(name: $0, isBackground: arrival.isBackground) }
    _ = try batcher.admit(
      texts, tenant: arrival.tenant, weight: arrival.weight, deadline: arrival.deadline,
      isBounded: !arrival.isBackground)
  }

  @Test func whoHasTimeIsBehindEverybodyWhoseTimeCounts() throws {
    let later = ContinuousClock.now + .seconds(60)
    for first in [true, false] {
      var batcher = batcher()
      let (some, much) = (
        Arrival(tenant: 1, weight: 0.001, deadline: later), Arrival(background: 1, deadline: later)
      )
      if first { try admit(100, much, to: &batcher) }
      try admit(60, some, to: &batcher)
      if !first { try admit(100, much, to: &batcher) }
      var (asked, passed) = (0, 0)
      while asked < 60 {
        let batch = batcher.close()
        asked += batch.elements.count { !$0.isBackground }
        passed += batch.elements.count { $0.isBackground }
      }
      #expect(passed <= 3, "\(passed) went before others")
    }
  }

  @Test func aBatchOfNothingElseIsShort() throws {
    let later = ContinuousClock.now + .seconds(60)
    var batcher = batcher()
    try admit(100, Arrival(background: 1, deadline: later), to: &batcher)
    try admit(100, Arrival(background: 2, deadline: later), to: &batcher)
    let counts = (0..<4).map { _ in batcher.close().elements.count }
    #expect(counts.allSatisfy { 1...4 ~= $0 }, "\(counts)")
    var others = self.batcher()
    try admit(100, Arrival(tenant: 1, weight: 1, deadline: later), to: &others)
    #expect(others.close().elements.count > 20)
  }

  @Test func itsPlacesAreNobodyElses() throws {
    let later = ContinuousClock.now + .seconds(60)
    var batcher = batcher(10)
    try admit(100, Arrival(background: 1, deadline: later), to: &batcher)
    try admit(5, Arrival(tenant: 1, weight: 1, deadline: later), to: &batcher)
    #expect(throws: FairQueue<Text>.Full.tenant) {
      try admit(4, Arrival(tenant: 1, weight: 1, deadline: later), to: &batcher)
    }
    while batcher.queue.count > 0 { _ = batcher.close() }
    try admit(5, Arrival(tenant: 1, weight: 1, deadline: later), to: &batcher)
  }
}
