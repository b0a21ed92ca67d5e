import Model
import TestSupport
import Testing
import Trainer

/// Lists in whatever order: who is trained after whom.
@Suite struct TrainingOrderTests {
  private func spec(_ base: String, hash: String = "1", domain: String? = nil, _ adapter: String)
    throws -> VBertSpec
  {
    VBertSpec(
      task: .classify, base: base, baseHash: hash, domain: domain,
      adapter: try AdapterSpec(parsing: adapter), labels: ["a", "b"], maxLength: 64)
  }

  private func places(_ specs: [VBertSpec]) -> [[Int]] {
    var order = TrainingOrder()
    for (place, spec) in specs.enumerated() { order.add(place, spec) }
    return order.groups.map(\.places)
  }

  @Test func kindsOfABaseFollowOneAnother() throws {
    let (a, b) = (try spec("x", "lora:8"), try spec("x", "none"))
    #expect(places([a, b, a, b, a]) == [[0, 2, 4, 1, 3]])
    #expect(places([b, a]) == [[0, 1]])
    #expect(places([]) == [])
  }

  @Test func basesGoByName() throws {
    let (a, b) = (try spec("zebra", "none"), try spec("antelope", "none"))
    #expect(places([a, b, a]) == [[1], [0, 2]])
  }

  /// One on a base that was replaced must not stop those on the new one; domains have rows of their own.
  @Test func whatOpensApartIsApart() throws {
    let (new, old) = (try spec("x", hash: "2", "none"), try spec("x", hash: "1", "none"))
    #expect(places([new, old, new]) == [[1], [0, 2]])
    let (general, ward) = (try spec("x", "none"), try spec("x", domain: "ward", "none"))
    #expect(places([ward, general]) == [[1], [0]])
  }

  /// What opens the base has nothing of one vBERT: its labels, or a length that is too long.
  @Test func theBaseIsOpenedForAll() throws {
    var order = TrainingOrder()
    var first = try spec("x", "none")
    first.maxLength = 1_000_000
    order.add(0, first)
    let group = try #require(order.groups.first)
    #expect(group.spec.labels.isEmpty && group.spec.maxLength == 3 && group.spec.base == "x")
  }

  @Test func theSameListGivesTheSameOrder() throws {
    var random = SeededGenerator(seed: 11)
    let specs = try (0..<200).map { _ in
      try spec(
        "base\(Int.random(in: 0..<5, using: &random))",
        domain: Bool.random(using: &random) ? "d" : nil,
        ["none", "lora:2", "lora:4", "bottleneck:3", "bottleneck:5"].randomElement(
          using: &random) ?? "none")
    }
    let first = places(specs)
    for _ in 0..<20 { #expect(places(specs) == first) }
    #expect(first.joined().sorted() == Array(0..<200))
  }
}
