import Compute
import ComputeCPU
import Files
import Foundation
import Manager
import Model
import Scheduler
import ServingSupport
import TestSupport
import Testing

/// Several lanes behind one queue.
@Suite(.timeLimit(.minutes(3))) struct LaneTests {
  private static func arrival(within limit: Duration = .seconds(60)) -> Arrival {
    Arrival(tenant: 1, weight: 1, deadline: .now + limit)
  }

  private static func requests(_ home: TinyHome, _ count: Int) throws -> [Request] {
    let vberts = try TinyHome.names.map { try home.pinned($0) }
    return try (0..<count).map { i in
      let ids = (0..<1 + i * 7 % 30).map { Int32(5 + ($0 * 3 + i) % 20) }
      let vbert = vberts[i % vberts.count]
      return try home.request(
        vbert, TinyModel.tokens(ids), words: vbert.spec.task == .tag ? ids.indices.map { $0 } : [])
    }
  }

  /// Batches of both, the answers of one.
  @Test func twoLanesAnswerAsOne() async throws {
    let home = try TinyHome(lanes: 2)
    try home.addAll()
    let requests = try Self.requests(home, 300)
    let url = home.home.root.appending(path: "trace.json")
    var outputs: [[Reply.Output]] = []
    for lanes in [1, 2] {
      let pipeline = try home.pipeline(
        tokenBudget: 64, trace: try Trace(path: url.filePath, lanes: lanes), lanes: lanes)
      pipeline.start()
      outputs.append(
        try await withThrowingTaskGroup(of: (Int, [Reply.Output]).self) { group in
          for first in stride(from: 0, to: requests.count, by: 5) {
            group.addTask {
              let some = Array(requests[first..<first + 5])
              return (
                first, try await pipeline.intake.replies(to: some, Self.arrival()).map(\.output)
              )
            }
          }
          return try await group.reduce(into: []) { $0.append($1) }
            .sorted { $0.0 < $1.0 }.flatMap(\.1)
        })
      await pipeline.stop()
      #expect(pipeline.health == .stopped && pipeline.intake.load.sequences == 0)
    }
    #expect(outputs[0] == outputs[1])
    let events = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [[String: Any]])
    let rows = events.filter { ($0["name"] as? String)?.hasPrefix("batch") == true }
      .compactMap { $0["tid"] as? Int }
    #expect(Set(rows) == [2, 4], "batches of both lanes: \(rows)")
  }

  /// What one of them holds is late; what the other takes is answered. The server says that it is not
  /// well until the lane has come back.
  @Test func aLaneThatHangsHoldsUpItsOwnBatchAlone() async throws {
    let home = try TinyHome(lanes: 2)
    try home.addAll()
    let stubborn = StubbornSource(home, .hangs)
    var watch = HealthWatch.Settings()
    watch.grace = .milliseconds(300)
    watch.firstGrace = .milliseconds(300)
    watch.pause = .milliseconds(100)
    watch.doubtPause = .milliseconds(50)
    let pipeline = Pipeline(
      intake: Intake(
        bounds: .init(total: 1000, perTenant: 1000),
        policy: BatchPolicy(tokenBudget: 64, maxSequences: 8), lanes: 2),
      bases: home.bases,
      devices: [
        .init(adapters: stubborn, backend: try CPUBackend(threads: 1)),
        .init(adapters: home.cache, backend: try CPUBackend(threads: 1)),
      ], watch: watch)
    pipeline.start()
    let requests = try Self.requests(home, 40)
    let answered = await withTaskGroup(of: Bool.self) { group in
      for request in requests {
        group.addTask { (try? await pipeline.intake.replies(to: [request], Self.arrival())) != nil }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    // One batch of at most eight, and the one behind it that waits to be prepared.
    #expect(answered >= requests.count - 16 && answered < requests.count)
    guard case .unhealthy = pipeline.health else {
      Issue.record("\(pipeline.health)")
      return
    }
    stubborn.mood = .well
    while pipeline.health != .ready { try await Task.sleep(for: .milliseconds(10)) }
    #expect(try await pipeline.intake.replies(to: requests, Self.arrival()).count == 40)
    await pipeline.stop()
  }

  private struct Text: Batchable {
    var tokens = 10
    var units: Double { BatchSpeed.units(tokens: tokens) }
    let base = "tiny"
    let isUnwanted = false
  }

  /// A lane learns and waits for itself; what is queued goes to whoever asks.
  @Test func everyLaneHasAPolicyOfItsOwn() throws {
    let now = ContinuousClock.now
    var batcher = Batcher<Text>(
      bounds: .init(total: 100, perTenant: nil),
      policy: BatchPolicy(tokenBudget: 40, maxSequences: 100), lanes: 2)
    _ = try batcher.admit(
      Array(repeating: Text(), count: 7), tenant: 1, weight: 1, deadline: now + .seconds(1))
    #expect(batcher.decide(now: now, lane: 0) == .close)
    #expect(batcher.close(lane: 0).elements.count == 4)
    #expect(batcher.decide(now: now, lane: 0) == .wait(until: nil))
    #expect(batcher.decide(now: now, lane: 1) == .close)
    #expect(batcher.close(lane: 1).elements.count == 3)
    batcher.note(.computed(base: "tiny", units: 100, tokens: 40, took: .milliseconds(5)), lane: 1)
    batcher.note(.ended, lane: 1)
    #expect(batcher.policies.map(\.isIdle) == [false, true])
    #expect(
      batcher.policies.map { $0.speed.seconds(.compute, base: "tiny") == nil } == [true, false])
    #expect(batcher.policies[0].drainRate == 0 && batcher.policies[1].drainRate > 0)
  }
}
