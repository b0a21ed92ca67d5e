import Compute
import ComputeCPU
import Files
import Foundation
import Manager
import Model
import Scheduler
import ServingSupport
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(3))) struct PipelineTests {
  private static let names = TinyHome.names

  private static func request(
    _ home: TinyHome, _ vbert: PinnedVBert, _ random: inout SeededGenerator
  ) throws -> Request {
    let count = Int.random(in: 1...40, using: &random)
    let vocabulary = Int32(TinyModel.words.count)
    let ids = (0..<count).map { _ in Int32.random(in: 1..<vocabulary, using: &random) }
    let words = (0..<count).map { $0 % 5 == 4 ? nil : $0 }
    return try home.request(
      vbert, TinyModel.tokens(ids), words: vbert.spec.task == .tag ? words : [])
  }

  private static func arrival(
    tenant: Int64 = 1, within limit: Duration = .seconds(60)
  ) -> Arrival {
    Arrival(tenant: tenant, weight: 1, deadline: .now + limit)
  }

  private static func values(_ output: Reply.Output) -> [Float] {
    switch output {
    case .logits(let values), .vector(let values): values
    case .words(let words): words.flatMap { $0 + [0.125] }
    case .score(let value): [value]
    }
  }

  /// Every kind of vBERT, alone and then all together from many tasks at once: the same to 1e-5.
  @Test func aloneEqualsTogether() async throws {
    let home = try TinyHome()
    try home.addAll()
    let pipeline = try home.pipeline()
    pipeline.start()
    var random = SeededGenerator(seed: 5)
    let vberts = try Self.names.map { try home.pinned($0) }
    let requests = try (0..<140).map { try Self.request(home, vberts[$0 % vberts.count], &random) }

    var alone: [Reply] = []
    for request in requests {
      alone += try await pipeline.intake.replies(to: [request], Self.arrival())
    }
    let together = try await pipeline.intake.replies(to: requests, Self.arrival())
    let concurrent = try await withThrowingTaskGroup(of: (Int, Reply).self) { group in
      for (i, request) in requests.enumerated() {
        group.addTask {
          (
            i,
            try await pipeline.intake.replies(
              to: [request], Self.arrival(tenant: Int64(i % 3)))[0]
          )
        }
      }
      return try await group.reduce(into: [Int: Reply]()) { $0[$1.0] = $1.1 }
    }
    var worst: Float = 0
    for i in requests.indices {
      let expected = Self.values(alone[i].output)
      for other in [together[i], try #require(concurrent[i])] {
        let found = Self.values(other.output)
        #expect(found.count == expected.count && !found.isEmpty)
        for (a, b) in zip(expected, found) { worst = max(worst, abs(a - b)) }
      }
      #expect(together[i].tokens == requests[i].length)
      let isDense = requests[i].vbert.spec.base == "dense"
      #expect(together[i].plot.tokens == (isDense ? 0 : requests[i].length))
      #expect(together[i].plot.hitRate > 0.9)
    }
    #expect(worst < 1e-5)
    await pipeline.stop()
    #expect(pipeline.health == .stopped)
    await #expect(throws: ServingError.stopping) {
      try await pipeline.intake.replies(to: [requests[0]], Self.arrival())
    }
  }

  /// Outputs against the heads computed by hand from the states of the encoder alone.
  @Test func headsAreTheirOwners() async throws {
    let home = try TinyHome()
    try home.addAll()
    let pipeline = try home.pipeline()
    pipeline.start()
    var random = SeededGenerator(seed: 6)
    let meaning = try Self.request(home, try home.pinned("meaning"), &random)
    func ask(_ name: VBertName) async throws -> Reply.Output {
      let request = try home.request(
        home.pinned(name), meaning.tokens,
        words: Array(0..<meaning.tokens.count))
      return try await pipeline.intake.replies(to: [request], Self.arrival())[0].output
    }
    guard case .logits(let topic) = try await ask("topic"), topic.count == 3,
      case .logits(let mood) = try await ask("mood"), mood.count == 2,
      case .logits(let tags) = try await ask("tags"), tags.count == 4,
      case .vector(let vector) = try await ask("meaning"), vector.count == 32,
      case .score = try await ask("similar"),
      case .words(let words) = try await ask("names")
    else {
      Issue.record("wrong kinds of output")
      return
    }
    #expect(words.count == meaning.length && words.allSatisfy { $0.count == 5 })
    await pipeline.stop()
  }

  /// Two taggers with the same parameters, of which one reads words at norm 1: without the bias its outputs
  /// are the other's divided by each word's norm. Both are in one batch.
  @Test func wordsAreReadAtNormOne() async throws {
    let home = try TinyHome()
    try home.addAll()
    let pipeline = try home.pipeline()
    pipeline.start()
    var random = SeededGenerator(seed: 12)
    let names = try home.pinned("names")
    let requests = try (0..<6).map { _ in try Self.request(home, names, &random) }
    let twins = try requests.map {
      try home.request(home.pinned("parts"), $0.tokens, words: $0.words)
    }
    let replies = try await pipeline.intake.replies(
      to: zip(twins, requests).flatMap { [$0, $1] }, Self.arrival())
    let adapter = try TinyModel.adapter(names.spec, seed: 6)
    let bias = try #require(adapter.head?.bias)
    var words = 0
    for (divided, raw) in zip(
      replies.enumerated().filter { $0.offset % 2 == 0 },
      replies.enumerated().filter { $0.offset % 2 == 1 })
    {
      guard case .words(let divided) = divided.element.output,
        case .words(let raw) = raw.element.output
      else { throw CocoaError(.featureUnsupported) }
      for (a, b) in zip(divided, raw) where !a.isEmpty {
        let (a, b) = (zip(a, bias).map(-), zip(b, bias).map(-))
        func norm(_ values: [Float]) -> Float { values.reduce(0) { $0 + $1 * $1 }.squareRoot() }
        let state = norm(b) / norm(a)
        #expect(state > 2, "a state's norm after LayerNorm")
        for (a, b) in zip(a, b) { #expect(abs(a * state - b) < 1e-4) }
        words += 1
      }
    }
    #expect(words > 20)
    await pipeline.stop()
  }

  /// A tenant whose parameters are lost gets an error that says so; the others their answers.
  @Test func aBrokenAdapterFailsAlone() async throws {
    let home = try TinyHome()
    try home.addAll()
    let broken = try home.pinned("mood")
    let version = try #require(try home.registry.version(broken.id))
    try FileManager.default.removeItem(at: home.store.url(try #require(version.blob).name))
    let pipeline = try home.pipeline()
    pipeline.start()
    var random = SeededGenerator(seed: 7)
    let good = try Self.request(home, try home.pinned("topic"), &random)
    let bad = try Self.request(home, broken, &random)
    async let one = pipeline.intake.replies(to: [good, good], Self.arrival())
    async let two = pipeline.intake.replies(to: [bad], Self.arrival())
    async let three = pipeline.intake.replies(to: [good], Self.arrival())
    #expect(try await one.count == 2)
    #expect(try await three.count == 1)
    do {
      _ = try await two
      Issue.record("answered without parameters")
    } catch let error as ServingError {
      guard case .vbert("mood", let why) = error else { throw error }
      #expect(why.contains("missing"))
    }
    await pipeline.stop()
  }

  /// Old requests finish on the version they came for; new ones get the new one.
  @Test func aVersionIsPinnedAtArrival() async throws {
    let home = try TinyHome()
    try home.addAll()
    let old = try home.pinned("topic")
    var random = SeededGenerator(seed: 8)
    let request = try Self.request(home, old, &random)
    let pipeline = try home.pipeline()
    pipeline.start()
    let before = try await pipeline.intake.replies(to: [request], Self.arrival())
    try await home.store.publish(
      TinyModel.adapter(old.spec, seed: 99), as: try home.registry.vbert("topic"), spec: old.spec,
      base: TinyModel.configuration)
    let new = try home.pinned("topic")
    #expect(new.id.number == old.id.number + 1)
    let both = try await pipeline.intake.replies(
      to: [request, try home.request(new, request.tokens)], Self.arrival())
    #expect(both[0].output == before[0].output)
    #expect(both[1].output != before[0].output)
    await pipeline.stop()
  }

  /// An adapter source that waits until it is let go.
  private final class Gate: AdapterSource {
    let cache: AdapterCache
    let isOpen = Mutex(false)

    init(_ cache: AdapterCache) { self.cache = cache }

    func resident(
      for id: VersionID, base: Configuration
    ) throws(AdapterError) -> any ResidentAdapter {
      while !isOpen.withLock({ $0 }) { Thread.sleep(forTimeInterval: 0.001) }
      return try cache.resident(for: id, base: base)
    }
  }

  /// A device of two tiers, of which the upper has room or has not.
  private final class Mover: AdapterMover {
    let backend: CPUBackend
    let journeys = Mutex<[Int]>([])
    let isFull = Mutex(false)

    init() throws { backend = try CPUBackend(threads: 1) }

    func keep(_ adapter: HostAdapter) throws(ComputeError) -> any ResidentAdapter {
      try backend.load(adapter)
    }

    func bring(_ kept: [any ResidentAdapter]) throws(ComputeError) -> [any ResidentAdapter] {
      if isFull.withLock({ $0 }) { throw .outOfMemory(requestedBytes: 1, flag: "--batch") }
      journeys.withLock { $0.append(kept.count) }
      return kept
    }
  }

  @Test func adaptersOfABatchMoveInOneGo() async throws {
    let home = try TinyHome()
    try home.addAll()
    let mover = try Mover()
    let kept = AdapterCache(store: home.store, bound: 1 << 20, load: { try mover.keep($0) })
    let moved = MovedAdapters(kept, mover: mover)
    let gone = VersionID(vbert: 99, number: 1)
    let names: [VBertName] = ["topic", "mood", "tags"]
    let ids = try names.map { try home.pinned($0).id }
    let found = moved.residents(
      for: [ids[0], gone, ids[1], ids[2]],
      bases: Array(repeating: TinyModel.configuration, count: 4))
    #expect(throws: AdapterError.gone(gone)) { try found[1].get() }
    for (i, name) in [(0, "topic"), (2, "mood"), (3, "tags")] as [(Int, VBertName)] {
      let expected = try kept.resident(
        for: try home.pinned(name).id, base: TinyModel.configuration)
      #expect(try found[i].get() === expected)
    }
    #expect(mover.journeys.withLock { $0 } == [3])
    // The same answers as without a second tier.
    var random = SeededGenerator(seed: 12)
    let request = try Self.request(home, try home.pinned("topic"), &random)
    var outputs: [Reply.Output] = []
    for adapters in [moved, home.cache] as [any AdapterSource] {
      let pipeline = try home.pipeline(adapters: adapters)
      pipeline.start()
      outputs += try await pipeline.intake.replies(to: [request], Self.arrival()).map(\.output)
      await pipeline.stop()
    }
    #expect(outputs[0] == outputs[1])
    mover.isFull.withLock { $0 = true }
    let full = moved.residents(
      for: [gone, ids[0]], bases: [TinyModel.configuration, TinyModel.configuration])
    #expect(throws: AdapterError.gone(gone)) { try full[0].get() }
    #expect("\(full[1])".contains("--batch"))
  }

  @Test func boundsDeadlinesAndCancellation() async throws {
    let home = try TinyHome()
    try home.addAll()
    let gate = Gate(home.cache)
    let pipeline = try home.pipeline(queue: 10, adapters: gate)
    pipeline.start()
    var random = SeededGenerator(seed: 9)
    let request = try Self.request(home, try home.pinned("topic"), &random)
    let first = Task { try await pipeline.intake.replies(to: [request], Self.arrival()) }
    try await until { pipeline.intake.load.sequences == 0 && pipeline.intake.hasOpenBatch }

    let late = Task {
      try await pipeline.intake.replies(to: [request], Self.arrival(within: .seconds(3)))
    }
    let gone = Task { try await pipeline.intake.replies(to: [request, request], Self.arrival()) }
    try await until { pipeline.intake.load.sequences == 3 }
    await #expect(throws: ServingError.overloaded(tenant: false, retryAfter: 1)) {
      try await pipeline.intake.replies(
        to: Array(repeating: request, count: 8), Self.arrival())
    }
    gone.cancel()
    try await until { pipeline.intake.load.sequences == 1 }
    await #expect(throws: ServingError.cancelled) { try await gone.value }
    let kept = Task {
      try await pipeline.intake.replies(
        to: Array(repeating: request, count: 9), Self.arrival())
    }
    try await until { pipeline.intake.load.sequences == 10 }

    async let stopped: Void = pipeline.stop()
    try await until { pipeline.intake.isStopping }
    await #expect(throws: ServingError.timedOut) { try await late.value }
    gate.isOpen.withLock { $0 = true }
    #expect(try await first.value.count == 1)
    #expect(try await kept.value.count == 9)
    await stopped
  }

  @Test func aSequenceLongerThanABatchIsRefused() async throws {
    let home = try TinyHome()
    try home.addAll()
    let pipeline = try home.pipeline(tokenBudget: 16)
    let request = try home.request(
      home.pinned("topic"), TinyModel.tokens([Int32](repeating: 5, count: 17)))
    await #expect(throws: ServingError.tooLong(tokens: 17, budget: 16)) {
      try await pipeline.intake.replies(to: [request], Self.arrival())
    }
  }

  @Test func theTraceShowsWhereTimeGoes() async throws {
    let home = try TinyHome()
    try home.addAll()
    let url = home.home.root.appending(path: "trace.json")
    let pipeline = try home.pipeline(trace: try Trace(path: url.filePath))
    pipeline.start()
    var random = SeededGenerator(seed: 10)
    let request = try Self.request(home, try home.pinned("topic"), &random)
    _ = try await pipeline.intake.replies(to: [request], Self.arrival())
    await pipeline.stop()
    let events = try #require(
      JSONSerialization.jsonObject(with: Data(contentsOf: url)) as? [[String: Any]])
    let names = events.compactMap { $0["name"] as? String }
    for name in ["adapters", "lookup", "enter", "layer 1", "layer 2", "heads", "batch 1"] {
      #expect(names.contains(name))
    }
  }
}
