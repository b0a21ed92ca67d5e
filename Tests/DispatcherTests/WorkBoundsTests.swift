import Foundation
import Manager
import Model
import Scheduler
import ServingSupport
import Testing

@testable import Dispatcher

/// What a request may cost before the queue, through the routes.
@Suite(.timeLimit(.minutes(5))) struct WorkBoundsTests {
  private func words(_ count: Int) -> String {
    Array(repeating: "cat", count: count).joined(separator: " ")
  }

  @Test func tokenizeIsBoundedOverAllTexts() async throws {
    var limits = ServerLimits()
    limits.tokenizeTokens = 10
    try await TinyServer(limits: limits).test { client in
      let fits = try await client.post(
        "/tokenize", #"{"model": "topic", "inputs": ["\#(self.words(4))", "\#(self.words(6))"]}"#)
      #expect(fits.status == 200 && (fits.json as? [[Any]])?.map(\.count) == [6, 8])
      let over = try await client.post(
        "/tokenize", #"{"model": "topic", "inputs": ["\#(self.words(4))", "\#(self.words(7))"]}"#)
      #expect(over.status == 413 && over.text.contains("more than 10 tokens"))
    }
  }

  /// A long query beside many short texts is a small body: what is kept of it is bounded all the same.
  @Test func tokensOfARequestAreBounded() async throws {
    var limits = ServerLimits()
    limits.tokens = 100
    let server = try await TinyServer(limits: limits)
    try await server.test { client in
      func rank(_ words: Int, _ texts: Int) async throws -> Client.Answer {
        let list = Array(repeating: "\"cat\"", count: texts).joined(separator: ", ")
        return try await client.post(
          "/rerank",
          #"{"model": "similar", "query": "\#(self.words(words))", "texts": [\#(list)]}"#)
      }
      // [CLS] 6 [SEP] 1 [SEP]: 10 tokens a pair.
      #expect(try await rank(6, 10).status == 200)
      let over = try await rank(6, 11)
      #expect(over.status == 413 && over.text.contains("more than 100 tokens together"))
      #expect(server.pipeline.intake.load.sequences == 0)
      let one = try await client.post(
        "/embed", #"{"model": "meaning", "inputs": "\#(self.words(500))", "truncate": true}"#)
      #expect(one.status == 200, "what is cut does not count")
    }
  }

  /// As many texts as OpenAI's clients send at once, in a queue of the default size.
  @Test func aRequestMayHave2048Texts() async throws {
    try await TinyServer(queue: 8192).test { client in
      for (count, status) in [(2048, 200), (2049, 413)] {
        let list = Array(repeating: "\"a cat\"", count: count).joined(separator: ", ")
        let answer = try await client.post(
          "/v1/embeddings",
          #"{"model": "meaning", "input": [\#(list)], "encoding_format": "base64"}"#)
        #expect(answer.status == status)
        if status == 200 { #expect((answer.object["data"] as? [Any])?.count == count) }
      }
    }
  }

  /// Small and large requests go different ways; the answers are the same.
  @Test func largeRequestsAreAnsweredLikeSmallOnes() async throws {
    try await TinyServer().test { client in
      // White space makes a body large and changes nothing.
      let space = String(repeating: " ", count: 100_000)
      for (path, body) in [
        ("/predict", #""inputs": "a cat sat", "model": "topic""#),
        ("/rerank", #""query": "a cat", "texts": ["the dog", "a cat sat"], "model": "similar""#),
        ("/tag", #""inputs": ["ann went to paris.", "bob"], "model": "names""#),
        ("/tokenize", #""inputs": ["a cat.", "caf\u00e9"], "model": "topic""#),
        ("/predict", #""inputs": "a", "model": "nobody""#), ("/embed", #""inputs": 7"#),
      ] {
        let small = try await client.post(path, "{\(body)}")
        let large = try await client.post(path, "{\(space)\(body)}")
        #expect(small.status == large.status && small.text == large.text, "\(path) \(body)")
      }
    }
  }

  @Test func theTooLongAreCountedWithinABound() async throws {
    try await TinyServer().test { client in
      let much = self.words(20_000)
      for body in [
        #"{"model": "topic", "inputs": "\#(much)"}"#,
        #"{"model": "similar", "inputs": ["\#(much)", "a"]}"#,
        #"{"model": "names", "inputs": "\#(much)"}"#,
      ] {
        let refused = try await client.post("/predict", body)
        #expect(refused.status == 413)
        #expect(refused.text.contains("more than 8192 tokens"), "\(refused.text)")
      }
      // A query is as long beside the last text as beside the first.
      let query = try await client.post(
        "/rerank", #"{"model": "similar", "query": "\#(much)", "texts": ["a", "b"]}"#)
      #expect(query.status == 413 && query.text.contains("text 0 has more than 8192"))
    }
  }

  @Test func wordsOfATextAreBounded() async throws {
    var limits = ServerLimits()
    limits.tagWords = 5
    try await TinyServer(limits: limits).test { client in
      let list = #"[["a", "a", "a", "a", "a", "a"]]"#
      let given = try await client.post("/tag", #"{"model": "names", "inputs": \#(list)}"#)
      #expect(given.status == 422 && given.text.contains("at most 5"))
      let running = try await client.post("/tag", #"{"model": "names", "inputs": "......"}"#)
      #expect(running.status == 422 && running.text.contains("more than 5 words"))
      let five = try await client.post("/tag", #"{"model": "names", "inputs": "....."}"#)
      #expect(five.status == 200)
    }
  }

  @Test func deadlinesHoldBeforeTheQueue() async throws {
    var limits = ServerLimits()
    limits.seconds = 0
    try await TinyServer(limits: limits).test { client in
      for inputs in [#""a""#, "\"\(self.words(30_000))\""] {
        let late = try await client.post("/tokenize", #"{"model": "topic", "inputs": \#(inputs)}"#)
        #expect(late.status == 503 && late.header("retry-after") == "1")
      }
    }
  }

  @Test func bodiesShareTheirMemory() async throws {
    var limits = ServerLimits()
    limits.bodyMemory = 200_000
    try await TinyServer(limits: limits).test { client in
      let space = String(repeating: " ", count: 150_000)
      let body = #""inputs": "a cat", "model": "topic"}"#
      let refused = try await client.post("/predict", "{\(space)\(body)")
      #expect(refused.status == 429 && refused.header("retry-after") == "1")
      #expect(refused.text.contains("--body-memory"))
      // What was held is given back, and half of it is a tenant's.
      for _ in 0..<5 {
        #expect(try await client.post("/predict", "{\(space.prefix(90_000))\(body)").status == 200)
      }
    }
  }

  /// Beyond 64 KB an answer comes in parts; it is the same answer.
  @Test func largeAnswersAreWhole() async throws {
    try await TinyServer().test { client in
      let texts = (0..<200).map { _ in #""a cat sat on the mat in london""# }
      let answer = try await client.post(
        "/v1/embeddings", #"{"model": "meaning", "input": [\#(texts.joined(separator: ","))]}"#)
      #expect(answer.status == 200 && answer.bytes.count > 1 << 16)
      let rows = try #require(answer.object["data"] as? [[String: Any]])
      #expect(rows.map { $0["index"] as? Int } == (0..<200).map { $0 })
      #expect(rows.allSatisfy { numbers($0["embedding"]) == numbers(rows[0]["embedding"]) })
      let tokens = try await client.post(
        "/tokenize", #"{"model": "topic", "inputs": ["\#(self.words(3000))", "a dog"]}"#)
      let lists = try #require(tokens.json as? [[[String: Any]]])
      #expect(lists.map(\.count) == [3002, 4])
      #expect(
        lists[0][3000]["start"] as? Int == 4 * 2999 && lists[0][3000]["text"] as? String == "cat")
    }
  }
}
