import Compute
import Foundation
import Manager
import Model
import Scheduler
import ServingSupport
import Testing

/// Health, deadlines and cancellation of a real pipeline whose parts fail or hang.
@Suite(.timeLimit(.minutes(3))) struct HealthTests {
  /// Everything in milliseconds, for tests.
  private static let quick: HealthWatch.Settings = {
    var settings = HealthWatch.Settings()
    settings.grace = .milliseconds(300)
    settings.firstGrace = .milliseconds(300)
    settings.pause = .milliseconds(100)
    settings.doubtPause = .milliseconds(50)
    // Where many tests share two threads a probe's task may wait long for one.
    settings.patience = .seconds(60)
    return settings
  }()

  private static func request(_ home: TinyHome, _ vbert: PinnedVBert) throws -> Request {
    try home.request(vbert, TinyModel.tokens([2, 11, 12, 3]))
  }
  private static func arrival(within limit: Duration = .seconds(60)) -> Arrival {
    Arrival(tenant: 1, weight: 1, deadline: .now + limit)
  }
  /// A pipeline whose adapters never come until `source` is well, and a request for one. The source
  /// keeps the home.
  private func hanging(
    watch: HealthWatch.Settings = HealthWatch.Settings()
  ) throws -> (Pipeline, StubbornSource, Request) {
    let home = try TinyHome()
    try home.addAll()
    let source = StubbornSource(home, .hangs)
    let pipeline = try home.pipeline(adapters: source, watch: watch)
    pipeline.start()
    return (pipeline, source, try Self.request(home, try home.pinned("topic")))
  }

  private func isUnhealthy(_ pipeline: Pipeline, _ part: String) -> Bool {
    guard case .unhealthy(let why) = pipeline.health else { return false }
    return why.contains(part)
  }

  @Test func aHungPrefetchIsSaidAndItsRequestAnswered() async throws {
    let (pipeline, source, request) = try hanging(watch: Self.quick)
    do {
      _ = try await pipeline.intake.replies(to: [request], Self.arrival())
      Issue.record("answered by a stage that hangs")
    } catch { #expect("\(error)".contains("in prefetch")) }
    #expect(isUnhealthy(pipeline, "prefetch"))
    // What is queued behind it keeps its own time limit.
    await #expect(throws: ServingError.timedOut) {
      try await pipeline.intake.replies(to: [request], Self.arrival(within: .milliseconds(50)))
    }
    source.mood = .well
    try await until { pipeline.health == .ready }
    #expect(try await pipeline.intake.replies(to: [request], Self.arrival()).count == 1)
    await pipeline.stop()
  }

  @Test func aHungDeviceIsSaidAndItsRequestAnswered() async throws {
    let home = try TinyHome()
    try home.addAll()
    let backend = try StubbornBackend()
    let pipeline = try home.pipeline(backend: backend, watch: Self.quick)
    pipeline.start()
    let request = try Self.request(home, try home.pinned("topic"))
    _ = try await pipeline.intake.replies(to: [request], Self.arrival())
    backend.mood = .hangs
    do {
      _ = try await pipeline.intake.replies(to: [request], Self.arrival())
      Issue.record("answered by a device that hangs")
    } catch { #expect("\(error)".contains("in compute")) }
    #expect(isUnhealthy(pipeline, "compute"))
    backend.mood = .well
    try await until { pipeline.health == .ready }
    #expect(try await pipeline.intake.replies(to: [request], Self.arrival()).count == 1)
    await pipeline.stop()
  }

  /// A request's own limit holds inside a stage too, before the stage's.
  @Test func aDeadlineHoldsInsideAStage() async throws {
    let (pipeline, source, request) = try hanging()
    await #expect(throws: ServingError.timedOut) {
      try await pipeline.intake.replies(to: [request], Self.arrival(within: .milliseconds(100)))
    }
    source.mood = .well
    #expect(try await pipeline.intake.replies(to: [request], Self.arrival()).count == 1)
    #expect(pipeline.intake.counts[.expired] == 1 && pipeline.intake.counts[.answered] == 1)
    await pipeline.stop()
  }

  /// Its thread never comes back, and the server ends all the same.
  @Test func stoppingDoesNotWaitForAStageThatHangs() async throws {
    let (pipeline, source, request) = try hanging(watch: Self.quick)
    let asked = Task { try await pipeline.intake.replies(to: [request], Self.arrival()) }
    try await until { pipeline.intake.hasOpenBatch }
    await pipeline.stop()
    #expect(pipeline.health == .stopped)
    await #expect(throws: (any Error).self) { try await asked.value }
    source.mood = .well
  }

  @Test func oneBrokenVBERTIsNotTheServers() async throws {
    let home = try TinyHome()
    try home.addAll()
    let broken = try home.pinned("mood")
    let blob = try #require(try home.registry.version(broken.id)?.blob)
    try FileManager.default.removeItem(at: home.store.url(blob.name))
    let pipeline = try home.pipeline(
      witnesses: StoredWitnesses(store: home.store), watch: Self.quick)
    pipeline.start()
    for _ in 0..<20 {
      await #expect(throws: ServingError.self) {
        try await pipeline.intake.replies(to: [try Self.request(home, broken)], Self.arrival())
      }
      #expect(pipeline.health == .ready)
      try await Task.sleep(for: .milliseconds(20))
    }
    #expect(pipeline.health == .ready && pipeline.intake.counts[.failed] == 20)
    await pipeline.stop()
  }

  @Test func allVBERTsFailingIs() async throws {
    let home = try TinyHome()
    try home.addAll()
    let source = StubbornSource(home, .fails)
    let pipeline = try home.pipeline(
      adapters: source, witnesses: FixedWitnesses([try home.pinned("tags")]), watch: Self.quick)
    pipeline.start()
    let request = try Self.request(home, try home.pinned("topic"))
    await #expect(throws: ServingError.self) {
      try await pipeline.intake.replies(to: [request], Self.arrival())
    }
    try await until { isUnhealthy(pipeline, "is lost") }
    source.mood = .well
    try await until { pipeline.health == .ready }
    await pipeline.stop()
  }

  /// Nobody has asked for anything since.
  @Test func allFilesMissingIsFoundWithoutTraffic() async throws {
    let home = try TinyHome()
    try home.addAll()
    let pipeline = try home.pipeline(
      witnesses: StoredWitnesses(store: home.store), watch: Self.quick)
    pipeline.start()
    let away = home.home.root.appending(path: "away")
    try FileManager.default.moveItem(at: home.home.adapters, to: away)
    try await until { isUnhealthy(pipeline, "missing") }
    try FileManager.default.moveItem(at: away, to: home.home.adapters)
    try await until { pipeline.health == .ready }
    await pipeline.stop()
  }

  @Test func aDeadDeviceIsFoundWithoutTraffic() async throws {
    let home = try TinyHome()
    try home.addAll()
    _ = try home.pinned("topic")
    let backend = try StubbornBackend()
    let pipeline = try home.pipeline(backend: backend, watch: Self.quick)
    pipeline.start()
    let request = try Self.request(home, try home.pinned("topic"))
    #expect(try await pipeline.intake.replies(to: [request], Self.arrival()).count == 1)
    backend.mood = .fails
    try await until { isUnhealthy(pipeline, "fell off the bus") }
    await #expect(throws: ServingError.self) {
      try await pipeline.intake.replies(to: [request], Self.arrival())
    }
    backend.mood = .well
    try await until { pipeline.health == .ready }
    await pipeline.stop()
  }

  /// A batch is being prepared when its requests are cancelled: nothing of them is computed.
  @Test func cancelledWhilePreparedIsNotComputed() async throws {
    let (pipeline, source, request) = try hanging()
    let gone = Task {
      try await pipeline.intake.replies(
        to: Array(repeating: request, count: 20), Self.arrival())
    }
    try await until { pipeline.intake.hasOpenBatch }
    let kept = Task { try await pipeline.intake.replies(to: [request], Self.arrival()) }
    try await until { pipeline.intake.load.sequences > 0 }
    gone.cancel()
    await #expect(throws: ServingError.cancelled) { try await gone.value }
    source.mood = .well
    #expect(try await kept.value.count == 1)
    #expect(pipeline.intake.counts[.cancelled] == 20 && pipeline.intake.counts[.answered] == 1)
    await pipeline.stop()
  }
}
