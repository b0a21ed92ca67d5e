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
    let server = try await TinyServer(home: home)
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

  /// What a vBERT learnt from is what it is asked with.
  @Test func pairsAndTextsAreNotMixedUp() async throws {
    let home = try TinyHome()
    try home.addAll()
    var spec = TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"])
    spec.input = .text
    try home.add("texts", spec)
    spec.input = .pair
    try home.add("pairs", spec)
    spec = TinyModel.spec(.score, TinyHome.bottleneck)
    spec.input = .text
    try home.add("grade", spec)
    spec.input = .pair
    try home.add("rank", spec)
    let server = try await TinyServer(home: home)
    try await server.test { client in
      func ask(_ path: String, _ body: String) async throws -> Client.Answer {
        try await client.post(path, body)
      }
      for inputs in [#"["a", "b"]"#, #"[["a", "b"]]"#, #"[["a"], ["a", "b"]]"#] {
        let answer = try await ask("/predict", #"{"model": "texts", "inputs": \#(inputs)}"#)
        #expect(
          answer.status == 422
            && answer.object["error"] as? String == """
              texts learnt from single texts, and this is a pair; two texts are written [["a"], ["b"]]
              """
        )
      }
      for inputs in [#""a""#, #"[["a"], ["b"]]"#, #"[["a", "b"], ["c"]]"#] {
        let answer = try await ask("/predict", #"{"model": "pairs", "inputs": \#(inputs)}"#)
        #expect(answer.status == 422 && answer.text.contains("learnt from pairs"), "\(answer.text)")
      }
      let openAI = try await ask("/classify", #"{"model": "pairs", "input": ["a", "b"]}"#)
      #expect(openAI.status == 400 && openAI.text.contains("ask /predict"))
      let rerank = #"{"model": "grade", "query": "a", "texts": ["b", "c"]}"#
      #expect(try await ask("/rerank", rerank).status == 422)
      for (path, body) in [
        ("/predict", #"{"model": "texts", "inputs": [["a"], ["b"]]}"#),
        ("/predict", #"{"model": "pairs", "inputs": ["a", "b"]}"#),
        ("/classify", #"{"model": "texts", "input": ["a", "b"]}"#),
        ("/rerank", #"{"model": "rank", "query": "a", "texts": ["b", "c"]}"#),
        // Nobody noted what these learnt from.
        ("/predict", #"{"model": "topic", "inputs": ["a", "b"]}"#),
        ("/predict", #"{"model": "topic", "inputs": [["a"], ["a", "b"]]}"#),
      ] {
        let answer = try await ask(path, body)
        #expect(answer.status == 200, "\(path) \(body): \(answer.text)")
      }
    }
  }

  /// A registry's row that asks for more tokens than its base has positions.
  @Test func lengthsBeyondTheBaseAreRefused() async throws {
    let home = try TinyHome()
    for (name, length) in [("long", 65), ("endless", Int.max), ("short", 2), ("negative", -1)] {
      var spec = TinyModel.spec(.embed, .none)
      spec.maxLength = length
      _ = try await home.registry.create(vbert: VBertName(name), spec: spec)
    }
    try home.add("meaning", TinyModel.spec(.embed, .none))
    let server = try await TinyServer(home: home)
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
