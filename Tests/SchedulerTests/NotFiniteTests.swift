import Compute
import Foundation
import Manager
import Model
import ServingSupport
import Synchronization
import Testing

@testable import Scheduler

/// What is computed but is no number is an error of its sequence, and of no other.
@Suite(.timeLimit(.minutes(3))) struct NotFiniteTests {
  /// Gives one vBERT parameters whose results are not finite: past the checks of the store, as a
  /// device that fails would.
  private final class Poison: AdapterSource {
    private let cache: AdapterCache
    private let lane: any Backend
    private let victim: VersionID
    private let adapter: HostAdapter

    init(_ home: TinyHome, _ victim: PinnedVBert, value: Float, lane: any Backend) throws {
      (cache, self.lane, self.victim) = (home.cache, lane, victim.id)
      var adapter = try TinyModel.adapter(victim.spec, seed: 3)
      let head = try #require(adapter.head)
      var weight = head.weight
      weight[weight.count - 1] = value
      adapter.head = HostMatrix(
        weight: weight, bias: head.bias, outputs: head.outputs, inputs: head.inputs)
      self.adapter = adapter
    }

    func resident(
      for id: VersionID, base: Configuration
    ) throws(AdapterError) -> any ResidentAdapter {
      guard id == victim else { return try cache.resident(for: id, base: base) }
      do { return try lane.load(adapter) } catch {
        throw .corrupt(vbert: "", version: 0, why: "\(error)")
      }
    }
  }

  @Test(
    arguments: ["topic", "mood", "tags", "names", "similar"],
    [Float.nan, .infinity, -.infinity])
  func oneVBERTsResultIsItsOwnError(name: String, value: Float) async throws {
    let home = try TinyHome()
    try home.addAll()
    let victim = try home.pinned(VBertName(name))
    let lane = try TinyModel.lane()
    let pipeline = try home.pipeline(
      adapters: try Poison(home, victim, value: value, lane: lane))
    pipeline.start()
    func ask(_ vbert: PinnedVBert) async throws -> Reply.Output {
      let request = try home.request(
        vbert, TinyModel.tokens([2, 11, 12, 13, 3]), words: [1, 2, nil])
      return try await pipeline.intake.replies(
        to: [request], Arrival(tenant: 1, weight: 1, deadline: .now + .seconds(60)))[0].output
    }
    for other in TinyHome.names where other.text != name {
      let vbert = try home.pinned(other)
      async let bad: Void = {
        await #expect(throws: ServingError.notFinite(name: name)) { try await ask(victim) }
      }()
      let good = try await ask(vbert)
      await bad
      #expect(good.isFinite, "\(other)")
    }
    await pipeline.stop()
    #expect(pipeline.intake.counts[.failed] == TinyHome.names.count - 1)
    #expect(pipeline.intake.counts[.answered] == TinyHome.names.count - 1)
  }

  @Test func everyKindOfOutputIsLookedAt() {
    for value in [Float.nan, .infinity, -.infinity] {
      #expect(!Reply.Output.logits([1, value]).isFinite)
      #expect(!Reply.Output.words([[], [1, 2], [value]]).isFinite)
      #expect(!Reply.Output.vector([value, 1]).isFinite)
      #expect(!Reply.Output.score(value).isFinite)
    }
    #expect(Reply.Output.words([[], [.greatestFiniteMagnitude]]).isFinite)
  }
}
