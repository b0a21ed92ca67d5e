import Scheduler
import Testing

@Suite struct HealthWatchTests {
  private let start = ContinuousClock.now
  private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .seconds(seconds) }

  /// Both stages have given back a batch, so that they have no more than the grace and 20 times what is
  /// foreseen.
  private func warm() -> HealthWatch {
    var watch = HealthWatch(start: start)
    for stage in HealthWatch.Stage.allCases {
      watch.note(.entered(stage, batch: 1, expected: .zero), at: start)
      watch.note(.left(stage, batch: 1), at: start)
    }
    return watch
  }

  @Test(arguments: HealthWatch.Stage.allCases)
  func aStageThatKeepsABatchIsHung(stage: HealthWatch.Stage) {
    var watch = warm()
    watch.note(.entered(stage, batch: 7, expected: .milliseconds(50)), at: at(1))
    #expect(watch.actions(at: at(4)) == [])
    #expect(watch.verdict(at: at(6.9)) == .healthy)
    // 1 + 5 + 20 x 0.05.
    let why = "a batch has been in \(stage.rawValue) for 6 s"
    #expect(watch.verdict(at: at(7)) == .unhealthy(why) && watch.isHung(at: at(7)))
    #expect(
      watch.actions(at: at(7)) == [.giveUp(batch: 7, why: why), .probe(inDoubt: true)])
    // Once.
    #expect(watch.actions(at: at(7.1)) == [])
    // It comes back; a probe says whether it works again.
    watch.note(.left(stage, batch: 7), at: at(9))
    #expect(!watch.isHung(at: at(9)) && watch.verdict(at: at(9)) != .healthy)
    watch.note(.probed(failure: nil), at: at(9.1))
    #expect(watch.verdict(at: at(9.1)) == .healthy)
  }

  @Test func theFirstBatchMayTakeLonger() {
    var watch = HealthWatch(start: start)
    watch.note(.entered(.compute, batch: 1, expected: .zero), at: start)
    #expect(watch.verdict(at: at(29)) == .healthy)
    #expect(watch.verdict(at: at(31)) != .healthy)
  }

  @Test func aLateNewsOfAnOldBatchChangesNothing() {
    var watch = warm()
    watch.note(.entered(.prefetch, batch: 8, expected: .zero), at: at(0))
    watch.note(.left(.prefetch, batch: 7), at: at(1))
    #expect(watch.verdict(at: at(6)) != .healthy)
  }

  /// One probe every 5 s, every second in doubt, one at a time.
  @Test func probes() {
    var watch = warm()
    #expect(watch.actions(at: at(4.9)) == [])
    #expect(watch.actions(at: at(5)) == [.probe(inDoubt: false)])
    #expect(watch.actions(at: at(11)) == [])
    watch.note(.probed(failure: nil), at: at(11))
    watch.note(.failed, at: at(11.1))
    #expect(watch.verdict(at: at(11.1)) == .healthy)
    #expect(watch.actions(at: at(11.1)) == [.probe(inDoubt: true)])
    watch.note(.probed(failure: "the device is gone"), at: at(11.2))
    #expect(watch.verdict(at: at(11.2)) == .unhealthy("the device is gone"))
    #expect(watch.actions(at: at(12)) == [])
    #expect(watch.actions(at: at(12.2)) == [.probe(inDoubt: true)])
    watch.note(.probed(failure: nil), at: at(12.3))
    #expect(watch.verdict(at: at(12.3)) == .healthy)
    #expect(watch.actions(at: at(13.5)) == [])
  }

  @Test func aProbeWithoutAnswerHasFailed() {
    var watch = warm()
    _ = watch.actions(at: at(5))
    _ = watch.actions(at: at(15))
    #expect(watch.verdict(at: at(15)) == .unhealthy("a probe got no answer in 10 s"))
    watch.note(.probed(failure: nil), at: at(16))
    #expect(watch.verdict(at: at(16)) == .healthy)
  }
}
