/// Whether batches run through, and what to do where that is in doubt.
///
/// Every stage that takes a batch has a time by which it must give it back; what is later is hung, and
/// its requests are given up. A probe, a small batch of the server's own, goes through queue, lane and
/// device every few seconds, and at once when something failed that need not be one vBERT's own doing.
/// The server is unhealthy while a stage is hung, and from a probe that fails until one that succeeds.
///
/// A value: events in, actions and verdict out; times are given, never asked for.
package struct HealthWatch: Sendable {
  package typealias Instant = ContinuousClock.Instant

  package enum Stage: String, Sendable, CaseIterable { case prefetch, compute }

  package struct Settings: Sendable {
    /// What a stage may take of a batch: this, and `factor` times what is foreseen.
    package var grace = Duration.seconds(5)
    package var factor = 20.0
    /// The first batch compiles kernels and touches every page.
    package var firstGrace = Duration.seconds(30)
    /// Between probes while all is well, and while it is not.
    package var pause = Duration.seconds(5)
    package var doubtPause = Duration.seconds(1)
    /// A probe that got no answer in this time has failed.
    package var patience = Duration.seconds(10)

    package init() {}
  }

  package enum Event: Sendable {
    case entered(Stage, batch: Int, expected: Duration)
    case left(Stage, batch: Int)
    /// Sequences got an error that others may get too.
    case failed
    /// nil: it succeeded.
    case probed(failure: String?)
  }

  package enum Action: Sendable, Equatable {
    /// Nobody should wait for this batch any longer.
    case giveUp(batch: Int, why: String)
    /// `inDoubt`: adapters too.
    case probe(inDoubt: Bool)
  }

  package enum Verdict: Sendable, Equatable {
    case healthy
    case unhealthy(String)
  }

  private struct Visit {
    var batch: Int
    var since: Instant
    var until: Instant
    /// Its batch was given up.
    var isHung = false

    func isOver(at now: Instant) -> Bool { isHung || until <= now }
  }

  private let settings: Settings
  private var visits: [Stage: Visit] = [:]
  private var passed: Set<Stage> = []
  private var failure: String?
  private var isInDoubt = false
  private var probeSince: Instant?
  private var lastProbe: Instant

  package init(_ settings: Settings = Settings(), start: Instant) {
    self.settings = settings
    lastProbe = start
  }

  package mutating func note(_ event: Event, at now: Instant) {
    switch event {
    case .entered(let stage, let batch, let expected):
      let grace = passed.contains(stage) ? settings.grace : settings.firstGrace
      visits[stage] = Visit(
        batch: batch, since: now, until: now + grace + expected * settings.factor)
    case .left(let stage, let batch):
      guard visits[stage]?.batch == batch else { return }
      visits[stage] = nil
      passed.insert(stage)
    case .failed: isInDoubt = true
    case .probed(let failure):
      self.failure = failure
      probeSince = nil
      isInDoubt = failure != nil
    }
  }

  /// What is to be done now. To be asked several times a second.
  package mutating func actions(at now: Instant) -> [Action] {
    var actions: [Action] = []
    for stage in Stage.allCases {
      guard let visit = visits[stage], !visit.isHung, visit.until <= now else { continue }
      visits[stage]?.isHung = true
      // Until a probe says that it has come back.
      let why = HealthWatch.hung(stage, visit, now)
      failure = why
      isInDoubt = true
      actions.append(.giveUp(batch: visit.batch, why: why))
    }
    if let since = probeSince {
      if now - since >= settings.patience, failure == nil {
        failure = "a probe got no answer in \(HealthWatch.seconds(now - since)) s"
      }
    } else if now - lastProbe >= (isInDoubt ? settings.doubtPause : settings.pause) {
      lastProbe = now
      probeSince = now
      actions.append(.probe(inDoubt: isInDoubt))
    }
    return actions
  }

  package func verdict(at now: Instant) -> Verdict {
    for stage in Stage.allCases {
      if let visit = visits[stage], visit.isOver(at: now) {
        return .unhealthy(HealthWatch.hung(stage, visit, now))
      }
    }
    return failure.map { .unhealthy($0) } ?? .healthy
  }

  /// A stage is hung.
  package func isHung(at now: Instant) -> Bool {
    visits.values.contains { $0.isOver(at: now) }
  }

  private static func hung(_ stage: Stage, _ visit: Visit, _ now: Instant) -> String {
    "a batch has been in \(stage.rawValue) for \(seconds(now - visit.since)) s"
  }

  private static func seconds(_ time: Duration) -> Int { Int(time / .seconds(1)) }
}
