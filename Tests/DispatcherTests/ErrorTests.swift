import Compute
import Foundation
import Manager
import Model
import Scheduler
import ServingSupport
import Synchronization
import TestSupport
import Testing

@testable import Dispatcher

@Suite(.timeLimit(.minutes(5))) struct ErrorTests {
  /// Body, path, status, error_type or code.
  private static let bad: [(path: String, body: String, status: Int, word: String)] = [
    ("/predict", "", 400, "Validation"),
    ("/predict", "{", 400, "Validation"),
    ("/predict", "[]", 400, "Validation"),
    ("/predict", "{}", 422, "Validation"),
    ("/predict", #"{"inputs": 7, "model": "topic"}"#, 422, "Validation"),
    ("/predict", #"{"inputs": [["a", "b", "c"]], "model": "topic"}"#, 422, "Validation"),
    ("/predict", #"{"inputs": "a"}"#, 422, "Validation"),
    ("/predict", #"{"inputs": [], "model": "topic"}"#, 400, "Empty"),
    ("/predict", #"{"inputs": "", "model": "topic"}"#, 400, "Empty"),
    ("/predict", #"{"inputs": "a", "model": "nobody"}"#, 404, "NotFound"),
    ("/predict", #"{"inputs": "a", "model": ""}"#, 404, "NotFound"),
    ("/predict", #"{"inputs": "a", "model": "tiny"}"#, 404, "NotFound"),
    ("/predict", #"{"inputs": "a", "model": "untrained"}"#, 409, "NotFound"),
    ("/predict", #"{"inputs": "a", "model": "meaning"}"#, 422, "Validation"),
    ("/predict", #"{"inputs": ["a", "b"], "model": "names"}"#, 422, "Validation"),
    ("/predict", #"{"inputs": "a", "model": "broken"}"#, 424, "Backend"),
    ("/predict", #"{"inputs": "a", "model": "otherbase"}"#, 424, "Backend"),
    ("/embed", #"{"inputs": "a", "model": "topic"}"#, 422, "Validation"),
    ("/embed", #"{"inputs": [["a"]], "model": "meaning"}"#, 422, "Validation"),
    ("/embed", #"{"inputs": "a", "model": "meaning", "dimensions": 0}"#, 422, "Validation"),
    ("/embed", #"{"inputs": "a", "model": "meaning", "dimensions": 33}"#, 422, "Validation"),
    ("/embed", #"{"inputs": "a", "model": "meaning", "truncate": "yes"}"#, 422, "Validation"),
    ("/tag", #"{"inputs": "a", "model": "topic"}"#, 422, "Validation"),
    ("/tag", #"{"inputs": [[]], "model": "names"}"#, 400, "Empty"),
    ("/tag", #"{"inputs": [], "model": "names"}"#, 400, "Empty"),
    (
      "/tag", #"{"inputs": "a", "model": "names", "aggregation_strategy": "sum"}"#, 422,
      "Validation"
    ),
    ("/rerank", #"{"query": "a", "texts": [], "model": "similar"}"#, 400, "Empty"),
    ("/rerank", #"{"query": "a", "texts": ["b"], "model": "topic"}"#, 422, "Validation"),
    (
      "/similarity", #"{"inputs": {"source_sentence": "a", "sentences": []}, "model": "meaning"}"#,
      400, "Empty"
    ),
    ("/tokenize", #"{"inputs": []}"#, 400, "Empty"),
    ("/nowhere", "{}", 404, "NotFound"),
    ("/info", "{}", 405, "NotFound"),
    ("/classify", #"{"input": "a", "model": "nobody"}"#, 404, "model_not_found"),
    ("/classify", #"{"input": "a", "model": "names"}"#, 400, "invalid_request_error"),
    ("/classify", #"{"input": [], "model": "topic"}"#, 400, "invalid_request_error"),
    ("/classify", #"{"input": "a", "model": "untrained"}"#, 409, "model_not_ready"),
    ("/classify", #"{"input": {"a": 1}, "model": "topic"}"#, 400, "invalid_request_error"),
    ("/v1/embeddings", #"{"input": "a", "model": "topic"}"#, 400, "invalid_request_error"),
    ("/v1/embeddings", "nonsense", 400, "invalid_request_error"),
    (
      "/v1/embeddings", #"{"input": "a", "model": "meaning", "encoding_format": "hex"}"#, 400,
      "invalid_request_error"
    ),
    ("/v1/nowhere", "{}", 404, "invalid_request_error"),
  ]

  /// What is wrong is said by member, in words of the protocol.
  @Test func badMembersAreToldInPlainWords() async throws {
    try await TinyServer().test { client in
      for (path, body, words) in [
        (
          "/predict", #"{"model": "topic", "inputs": "a", "truncate": 1}"#,
          "truncate: true or false was"
        ),
        ("/predict", #"{"model": "topic", "inputs": 3}"#, "inputs: a text, a pair"),
        ("/predict", #"{"model": "topic", "inputs": [[]]}"#, "inputs: one text or a pair"),
        ("/predict", #"{"model": 3, "inputs": "a"}"#, "model: text was expected"),
        ("/predict", #"{"model": "topic"}"#, "inputs: it is missing"),
        ("/predict", #"{"model": "topic", "inputs": null}"#, "inputs: "),
        (
          "/embed", #"{"model": "meaning", "inputs": ["a", "b", ""]}"#,
          "text 2 is empty: leave it out"
        ),
        ("/predict", "[]", "a JSON object was expected"), ("/predict", "3", "a JSON object was"),
        ("/predict", #"{"model": "topic", "inputs": "a}"#, "it is not JSON"),
        ("/predict", "", "it is not JSON: it is empty, at byte 0"),
        ("/embed", #"{"inputs": "a",}"#, #"it is not JSON: expected '\"', at byte 15"#),
        ("/embed", #"{"inputs" "a"}"#, "it is not JSON: expected ':', at byte 10"),
        (
          "/embed", "{\"inputs\": \"a\", \"id\": \(String(repeating: "[", count: 128))",
          "it is nested more than 128 deep, at byte 149"
        ),
        ("/embed", #"{"model": "meaning", "inputs": "a", "dimensions": 1.5}"#, "a whole number"),
        ("/embed", #"{"model": "meaning", "inputs": "a", "dimensions": 1e99}"#, "a whole number"),
        ("/embed", #"{"model": "meaning", "inputs": "a", "dimensions": "3"}"#, "a whole number"),
        (
          "/tag", #"{"model": "names", "inputs": "a", "aggregation_strategy": "last"}"#,
          "aggregation_strategy: none or simple or first or average or max was expected"
        ),
        (
          "/similarity", #"{"model": "meaning", "inputs": "a"}"#,
          "inputs: an object with source_sentence and sentences was expected"
        ),
        ("/v1/score", "{}", "there is nothing at this path; the routes are GET /info, "),
        (
          "/v1/embeddings", #"{"model": "meaning", "input": "a", "encoding_format": "hex"}"#,
          "encoding_format: float or base64 was expected"
        ),
      ] {
        let answer = try await client.post(path, body)
        #expect(
          400...422 ~= answer.status && answer.text.contains(words), "\(body): \(answer.text)")
        for jargon in ["decode", "Dictionary", "Bool", "Int", "Cannot initialize", "Swift", "type"]
        {
          let told = answer.text.replacing("error_type", with: "").replacing("\"type\"", with: "")
          #expect(!told.contains(jargon), "\(body): \(answer.text)")
        }
      }
    }
  }

  @Test func everyErrorHasItsStatusAndShape() async throws {
    let home = try TinyHome()
    try home.addAll()
    try await home.registry.create(
      vbert: "untrained", spec: TinyModel.spec(.classify, TinyHome.bottleneck))
    let broken = try home.add(
      "broken", TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"]))
    let blob = try #require(try home.registry.version(broken.id)?.blob)
    try Data("no parameters".utf8).write(to: home.store.url(blob.name))
    let spec = TinyModel.spec(.embed, .none, base: "gone")
    try await home.registry.create(
      vbert: "otherbase",
      spec: VBertSpec(
        task: .score, base: "tiny", baseHash: "another", adapter: .none, maxLength: 16))
    try await home.registry.create(vbert: "lostbase", spec: spec)
    let server = try await TinyServer(home: home)
    try await server.test { client in
      for (path, body, status, word) in Self.bad {
        // A vBERT without a version says so before anything about its base.
        let expected = body.contains("otherbase") ? (409, "NotFound") : (status, word)
        let answer = try await client.post(path, body)
        #expect(answer.status == expected.0, "\(path) \(body): \(answer.text)")
        #expect(answer.header("content-type") == "application/json")
        if let error = answer.object["error"] as? [String: Any] {
          #expect(path == "/classify" || path.hasPrefix("/v1"))
          #expect((error["message"] as? String)?.isEmpty == false)
          #expect(error.keys.sorted() == ["code", "message", "param", "type"])
          let words = [error["type"] as? String, error["code"] as? String]
          #expect(words.contains(expected.1), "\(path) \(body): \(answer.text)")
        } else {
          #expect((answer.object["error"] as? String)?.isEmpty == false)
          #expect(
            answer.object["error_type"] as? String == expected.1, "\(path) \(body): \(answer.text)")
        }
      }
      let lost = try await client.post("/embed", #"{"inputs": "a", "model": "lostbase"}"#)
      #expect(lost.status == 424 && lost.text.contains("lostbase"))
    }
  }

  @Test func lengthsAreBounded() async throws {
    var limits = ServerLimits()
    limits.batch = 3
    limits.bodyBytes = 20_000
    try await TinyServer(limits: limits).test { client in
      let long = Array(repeating: "cat", count: 100).joined(separator: " ")
      let refused = try await client.post("/predict", #"{"model": "topic", "inputs": "\#(long)"}"#)
      #expect(refused.status == 413)
      #expect(refused.text.contains("102 tokens") && refused.text.contains("takes 64"))
      let openAI = try await client.post(
        "/classify", #"{"model": "topic", "input": ["a", "\#(long)"]}"#)
      #expect(openAI.status == 400 && openAI.text.contains("context_length_exceeded"))
      #expect(openAI.text.contains("text 1 "))
      let cut = try await client.post(
        "/predict", #"{"model": "topic", "inputs": "\#(long)", "truncate": true}"#)
      #expect(cut.status == 200 && cut.header("x-compute-tokens") == "64")
      let many = try await client.post(
        "/embed", #"{"model": "meaning", "inputs": ["a", "a", "a", "a"]}"#)
      #expect(many.status == 413 && many.text.contains("4 texts"))
      let big = String(repeating: "a", count: 30_000)
      let body = try await client.post("/embed", #"{"model": "meaning", "inputs": "\#(big)"}"#)
      #expect(body.status == 413)
    }
  }

  @Test func textsAreCutWhereTheServerSaysSo() async throws {
    var limits = ServerLimits()
    limits.autoTruncate = true
    try await TinyServer(limits: limits).test { client in
      let long = Array(repeating: "cat", count: 100).joined(separator: " ")
      let cut = try await client.post("/predict", #"{"model": "topic", "inputs": "\#(long)"}"#)
      #expect(cut.status == 200)
      let asked = try await client.post(
        "/predict", #"{"model": "topic", "inputs": "\#(long)", "truncate": false}"#)
      #expect(asked.status == 413)
      let tagged = try await client.post(
        "/tag", #"{"model": "names", "inputs": "\#(long)", "aggregation_strategy": "none"}"#)
      #expect(tagged.objects.count == 100)
      #expect(tagged.objects.suffix(38).allSatisfy { $0["entity"] as? String == "O" })
    }
  }

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

  @Test func aFullQueueSaysWhenToComeBack() async throws {
    let home = try TinyHome()
    try home.addAll()
    let gate = Gate(home.cache)
    let server = try await TinyServer(queue: 2, adapters: gate, home: home)
    try await server.test { client in
      let ask = #"{"model": "topic", "inputs": "a cat"}"#
      let first = Task { try await client.post("/predict", ask) }
      try await until { server.pipeline.intake.hasOpenBatch }
      let second = Task {
        try await client.post("/predict", #"{"model": "topic", "inputs": [["a"], ["b"]]}"#)
      }
      try await until { server.pipeline.intake.load.sequences >= 2 }
      let full = try await client.post("/predict", ask)
      #expect(full.status == 429 && full.object["error_type"] as? String == "Overloaded")
      #expect(full.header("retry-after").flatMap(Int.init).map { 1...60 ~= $0 } == true)
      let openAI = try await client.post("/classify", #"{"model": "topic", "input": "a"}"#)
      #expect(openAI.status == 429 && openAI.text.contains("rate_limit_exceeded"))
      gate.isOpen.withLock { $0 = true }
      #expect(try await first.value.status == 200)
      #expect(try await second.value.status == 200)
    }
  }
}
