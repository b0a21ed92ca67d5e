import Foundation
import HTTPTypes
import ServingSupport
import TestSupport
import Testing

@testable import Dispatcher

@Suite(.timeLimit(.minutes(10))) struct FuzzTests {
  private static let bodies: [(path: String, body: String)] = [
    ("/predict", #"{"model": "topic", "inputs": [["a cat"], ["dog", "mat"]], "truncate": true}"#),
    ("/embed", #"{"adapter_id": "meaning", "inputs": ["red", "blue"], "dimensions": 3}"#),
    ("/tag", #"{"model": "names", "inputs": "ann went to london.", "truncate": true}"#),
    ("/tag", #"{"model": "names", "inputs": [["ann", "\u0000", ""], ["a"]]}"#),
    ("/rerank", #"{"model": "similar", "query": "a", "texts": ["b", "c"], "raw_scores": true}"#),
    (
      "/similarity",
      #"{"model": "meaning", "inputs": {"source_sentence": "a", "sentences": ["b"]}}"#
    ),
    ("/tokenize", #"{"model": "topic", "inputs": ["cats", "\ud83d\ude00"]}"#),
    ("/classify", #"{"model": "mood", "input": ["good", "bad"]}"#),
    ("/v1/embeddings", #"{"model": "meaning", "input": "a", "encoding_format": "base64"}"#),
    (
      "/predict",
      #"{"model": "topic", "inputs": "a \u00e9 cat", "parameters": {"top_k": 2, "function_to_apply": "none"}}"#
    ),
    (
      "/embed",
      #"{"model": "meaning", "inputs": "a cat sat on a mat", "truncate": true, "truncation_direction": "Left"}"#
    ),
    (
      "/tag",
      #"{"model": "names", "inputs": "cats . walking , a \u0000", "aggregation_strategy": "average", "truncate_prompt_tokens": 7}"#
    ),
    (
      "/tag",
      #"{"model": "names", "inputs": [["cats", "walking"]], "aggregation_strategy": "max", "truncate_prompt_tokens": 4, "ignore_labels": ["O"]}"#
    ),
    (
      "/rerank",
      #"{"model": "similar", "query": "a cat", "texts": ["b"], "truncate_prompt_tokens": 5, "use_activation": false}"#
    ),
    (
      "/v1/rerank",
      #"{"model": "similar", "query": "a", "documents": ["b", {"text": "c"}], "top_n": 1, "return_documents": true}"#
    ),
    (
      "/m/topic", #"{"inputs": [{"text": "a", "text_pair": "b"}, "c"], "parameters": {"top_k": 2}}"#
    ),
    (
      "/m/meaning", #"{"inputs": {"source_sentence": "a", "sentences": ["b"]}, "model": "meaning"}"#
    ),
    ("/?model=names", #"{"inputs": "ann in london", "adapter_id": "names"}"#),
    (
      "/v2/models/mood/infer",
      #"{"id": "r", "inputs": [{"name": "text", "shape": [2], "datatype": "BYTES", "data": ["a", "b"]}], "outputs": [{"name": "scores"}], "parameters": {"binary_data_output": false}}"#
    ),
    (
      "/v1/embeddings",
      #"{"model": "meaning", "input": ["a"], "add_special_tokens": false, "user": "me", "options": {"use_cache": true}}"#
    ),
  ]

  /// Whatever the bytes: an answer, in JSON, and never the server's own fault.
  @Test func noBodyBreaksTheServer() async throws {
    let server = try await TinyServer()
    try await server.test { client in
      let end = ContinuousClock.now + .seconds(Fuzz.seconds)
      var seed = UInt64.random(in: 0..<1 << 48)
      repeat {
        var random = SeededGenerator(seed: seed)
        let (path, body) = Self.bodies[Int.random(in: 0..<Self.bodies.count, using: &random)]
        var bytes = Array(body.utf8)
        if Int.random(in: 0..<8, using: &random) == 0 {
          bytes = random.bytes(count: Int.random(in: 0...400, using: &random))
        } else {
          random.mutate(&bytes)
        }
        let answer = try await client.send(.post, path, bytes)
        let message = "seed \(seed): \(path) \(String(decoding: bytes, as: UTF8.self))"
        #expect(answer.json != nil, "\(message)")
        #expect(
          [200, 400, 404, 413, 422].contains(answer.status), "\(answer.status), \(message)")
        seed += 1
      } while ContinuousClock.now < end
    }
  }

  @Test func deepNestingIsRefused() async throws {
    try await TinyServer().test { client in
      for open in ["[", #"{"inputs":"#, #"{"inputs":["#] {
        let bomb = String(repeating: open, count: 3_000_000 / open.utf8.count)
        let answer = try await client.post("/predict", bomb)
        #expect(answer.status == 400, "\(open): \(answer.text)")
      }
    }
  }

  @Test func numbersOutOfRangeAreRefused() async throws {
    try await TinyServer().test { client in
      for number in ["1e400", "-1", "99999999999999999999999", "1.5", "null"] {
        let answer = try await client.post(
          "/embed", #"{"model": "meaning", "inputs": "a", "dimensions": \#(number)}"#)
        #expect(answer.status == (number == "null" ? 200 : 422) || answer.status == 400)
      }
    }
  }
}
