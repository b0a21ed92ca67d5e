import Foundation
import Manager
import Model
import Scheduler
import ServingSupport
import Testing

@testable import Dispatcher

/// What a vBERT's base cannot read is refused by name, and nobody else notices.
@Suite(.timeLimit(.minutes(5))) struct SegmentTests {
  @Test func pairsOnABaseOfOneSegmentAreRefused() async throws {
    let home = try TinyHome()
    try home.addAll()
    try home.add(
      "single-topic",
      TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"], base: "single"))
    try home.add("single-score", TinyModel.spec(.score, TinyHome.bottleneck, base: "single"))
    let server = try TinyServer(home: home)
    try await server.test { client in
      let single = #"{"model": "single-topic", "inputs": "a cat"}"#
      #expect(try await client.post("/predict", single).status == 200)
      for (path, body) in [
        ("/predict", #"{"model": "single-topic", "inputs": [["a cat", "a dog"]]}"#),
        ("/predict", #"{"model": "single-topic", "inputs": [["a cat"], ["a", ""]]}"#),
        ("/rerank", #"{"model": "single-score", "query": "a", "texts": ["b", "c"]}"#),
      ] {
        let answer = try await client.post(path, body)
        #expect(answer.status == 422, "\(path) \(body): \(answer.text)")
        #expect(answer.text.contains("the base single reads single texts"), "\(answer.text)")
        // Everybody is served as before.
        #expect(try await client.post("/predict", single).status == 200)
        let pair = #"{"model": "topic", "inputs": [["a cat", "a dog"]]}"#
        #expect(try await client.post("/predict", pair).status == 200)
      }
    }
  }

  /// A registry's row that asks for more tokens than its base has positions.
  @Test func lengthsBeyondTheBaseAreRefused() async throws {
    let home = try TinyHome()
    for (name, length) in [("long", 65), ("endless", Int.max), ("short", 2), ("negative", -1)] {
      var spec = TinyModel.spec(.embed, .none)
      spec.maxLength = length
      _ = try home.registry.create(vbert: Name(name), spec: spec)
    }
    try home.add("meaning", TinyModel.spec(.embed, .none))
    let server = try TinyServer(home: home)
    try await server.test { client in
      for name in ["long", "endless", "short", "negative"] {
        let answer = try await client.post(
          "/embed", #"{"model": "\#(name)", "inputs": "a cat"}"#)
        #expect(answer.status == 424 && answer.text.contains("this base takes 3 to 64"))
      }
      let good = #"{"model": "meaning", "inputs": "a cat"}"#
      #expect(try await client.post("/embed", good).status == 200)
    }
  }
}
