import Foundation
import Testing

/// The whole way on a small model: import, skip, tabulate, create, train, predict, serve.
@Suite("The main job", .serialized)
struct MainJobTests {
  @Test func trainsAndServesManyKinds() async throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    try world.train("topic", task: "classify", rows: TinyData.classify)
    try world.train("topics", task: "multilabel", rows: TinyData.multilabel)
    try world.train("tagger", task: "tag", rows: TinyData.tag)
    try world.train("scorer", task: "score", rows: TinyData.score)
    try vbert.succeed("create", "embedder", "--task", "embed", "--base", "tiny-skip2")

    let evaluated = try vbert.succeed(
      "eval", "topic", "--data", vbert.home.appending(path: "topic.jsonl").path(), "--json")
    let metrics = try #require(
      try JSONSerialization.jsonObject(with: Data(evaluated.utf8)) as? [String: Any])
    #expect(try #require(Self.number("accuracy", in: metrics)) > 0.9)
    let predicted = try vbert.succeed("predict", "topic", "the red dog runs")
    #expect(predicted.contains("colour"))

    let trace = vbert.home.appending(path: "trace.json")
    let server = try await Server(vbert, ["--trace", trace.path()])
    let cases = Self.requests
    var alone: [Server.Reply] = []
    for (path, body) in cases { alone.append(try await server.post(path, body)) }
    for (reply, (path, body)) in zip(alone, cases) {
      #expect(
        reply.status == 200, "\(path) \(body): \(String(decoding: reply.body, as: UTF8.self))")
    }

    // All of them eight times at once: the mix of the batch changes no answer.
    let together = try await withThrowingTaskGroup(of: (Int, Server.Reply).self) { group in
      for number in cases.indices {
        for _ in 0..<8 {
          group.addTask {
            let (path, body) = Self.requests[number]
            return (number, try await server.post(path, body))
          }
        }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(together.count == 8 * cases.count)
    for (number, reply) in together {
      #expect(reply.status == 200)
      #expect(
        Self.differ(try alone[number].json, try reply.json) < 1e-5, "\(cases[number].0)")
    }

    let label = try #require((try alone[0].json as? [[String: Any]])?.first?["label"] as? String)
    #expect(label == "colour")
    let unknown = try await server.post("/predict", ["adapter_id": "nobody", "inputs": "a cat"])
    #expect(unknown.status == 404)
    let wrong = try await server.post("/embed", ["adapter_id": "topic", "inputs": "a cat"])
    #expect((400..<500).contains(wrong.status))
    let scraped = try await server.get("/metrics")
    #expect(String(decoding: scraped.body, as: UTF8.self).contains("vbert_"))

    #expect(server.stop() == 0)
    let events = try JSONSerialization.jsonObject(with: try Data(contentsOf: trace))
    let list =
      (events as? [String: Any])?["traceEvents"] as? [[String: Any]] ?? events as? [[String: Any]]
    let names = Set(try #require(list).compactMap { $0["name"] as? String })
    #expect(names.contains { $0.hasPrefix("layer") } && names.contains { $0.hasPrefix("batch") })
  }

  private static var requests: [(String, [String: Any])] {
    [
      ("/predict", ["adapter_id": "topic", "inputs": "the blue bird sings"]),
      ("/predict", ["adapter_id": "topics", "inputs": "the red warm cat runs"]),
      ("/predict", ["adapter_id": "tagger", "inputs": "the dog sleeps in rome ."]),
      ("/predict", ["adapter_id": "scorer", "inputs": [["the cat runs", "a cat runs fast"]]]),
      ("/embed", ["adapter_id": "embedder", "inputs": ["a cold cat", "one two three"]]),
      ("/v1/embeddings", ["model": "embedder", "input": "a warm bird"]),
      ("/classify", ["model": "topic", "input": ["the warm cat sings", "a red bird runs"]]),
    ]
  }

  /// A metric wherever it is in the answer.
  private static func number(_ name: String, in json: Any) -> Double? {
    guard let object = json as? [String: Any] else { return nil }
    if let value = object[name] as? Double { return value }
    return object.values.lazy.compactMap { number(name, in: $0) }.first
  }

  /// Largest difference of two JSON values' numbers; infinite where their shapes differ. Identifiers
  /// and times of a reply are not compared.
  static func differ(_ a: Any, _ b: Any) -> Double {
    switch (a, b) {
    case (let a as [Any], let b as [Any]):
      return a.count == b.count ? zip(a, b).map(differ).max() ?? 0 : .infinity
    case (let a as [String: Any], let b as [String: Any]):
      guard a.keys == b.keys else { return .infinity }
      return a.filter { !["id", "created"].contains($0.key) }
        .map { differ($0.value, b[$0.key] as Any) }.max() ?? 0
    case (let a as String, let b as String): return a == b ? 0 : .infinity
    case (let a as Double, let b as Double): return abs(a - b)
    default: return "\(a)" == "\(b)" ? 0 : .infinity
    }
  }
}
