import Compute
import ComputeCPU
import Manager
import Model
import Scheduler
import ServingSupport
import TestSupport
import Testing

/// Embedders with adapters of their own beside other vBERTs.
@Suite(.timeLimit(.minutes(3))) struct EmbedderTests {
  private static func arrival() -> Arrival {
    Arrival(tenant: 1, weight: 1, deadline: .now + .seconds(60))
  }

  private static func vector(_ reply: Reply) throws -> [Float] {
    guard case .vector(let vector) = reply.output else {
      Issue.record("no vector")
      return []
    }
    return vector
  }

  /// Alone, together with every other kind of vBERT, and after its adapter had to make room.
  @Test func aloneEqualsTogetherAndAfterEviction() async throws {
    let home = try TinyHome()
    try home.addAll()
    let lora = AdapterSpec.lora(rank: 4, alpha: 8, targets: LowRankTarget.allCases)
    let embedders = [
      try home.add("near", TinyModel.spec(.embed, lora), seed: 21),
      try home.add("first", TinyModel.spec(.embed, lora, pooling: .cls), seed: 22),
      try home.add("bottle", TinyModel.spec(.embed, TinyHome.bottleneck), seed: 23),
    ]
    let plain = try home.pinned("meaning")
    let others = try TinyHome.names.map { try home.pinned($0) }
    // Room for one adapter and a bit: each that comes evicts another.
    let lane = try CPUBackend(threads: 1)
    let one = try await lane.load(
      home.store.load(
        try #require(try home.registry.version(embedders[0].id)),
        base: TinyModel.configuration)
    ).byteCount
    let small = AdapterCache(store: home.store, bound: one + one / 2, load: { try lane.load($0) })
    let pipeline = try home.pipeline(adapters: small)
    pipeline.start()
    var random = SeededGenerator(seed: 5)
    let texts = (0..<8).map { _ in
      (0..<Int.random(in: 2...20, using: &random)).map { _ in
        Int32.random(in: 1..<Int32(TinyModel.words.count), using: &random)
      }
    }
    func ask(_ vberts: [PinnedVBert]) async throws -> [[Float]] {
      let requests = try texts.flatMap { ids in
        try vberts.map { try home.request($0, TinyModel.tokens(ids)) }
      }
      return try await pipeline.intake.replies(to: requests, Self.arrival())
        .map { try Self.vector($0) }
    }
    let base = try await ask([plain])
    for vbert in embedders {
      let alone = try await ask([vbert])
      // It has learnt something: its vectors are not the base's.
      #expect(zip(alone, base).allSatisfy { zip($0, $1).contains { abs($0 - $1) > 1e-2 } })
      for other in others where other.spec.task != .embed && other.spec.task != .tag {
        let requests = try texts.flatMap { ids in
          try [vbert, other].map { try home.request($0, TinyModel.tokens(ids)) }
        }
        let mixed = try await pipeline.intake.replies(to: requests, Self.arrival())
        for (i, expected) in alone.enumerated() {
          let found = try Self.vector(mixed[2 * i])
          #expect(zip(found, expected).allSatisfy { abs($0 - $1) < 1e-5 })
        }
      }
    }
    await pipeline.stop()
  }
}
