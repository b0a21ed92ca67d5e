import Foundation
import ServingSupport
import Testing

@testable import Dispatcher

/// Ranks in the shapes of TEI and of Cohere, told by the body.
@Suite(.timeLimit(.minutes(5))) struct RerankTests {
  private static let texts = #"["a dog", "the cat", "mat"]"#

  private static func ask(
    _ client: Client, _ path: String, _ members: String, texts: String = "documents"
  ) async throws -> Client.Answer {
    try await client.post(
      path, #"{"model": "similar", "query": "cat", "\#(texts)": \#(Self.texts)\#(members)}"#)
  }

  private static func ranks(_ answer: Client.Answer, _ list: String) -> [[String: Any]] {
    answer.object[list] as? [[String: Any]] ?? []
  }

  /// One order and one score, whoever asks; `data` is `results` once more.
  @Test func bothShapesSayTheSame() async throws {
    try await TinyServer().test { client in
      let tei = try await Self.ask(client, "/rerank", "", texts: "texts").objects
      for path in ["/rerank", "/v1/rerank", "/v2/rerank", "/m/similar/v1/rerank"] {
        let answer = try await Self.ask(client, path, "")
        #expect(answer.status == 200, "\(path): \(answer.text)")
        for list in ["results", "data"] {
          let ranks = Self.ranks(answer, list)
          #expect(ranks.map { $0["index"] as? Int } == tei.map { $0["index"] as? Int })
          let scores = ranks.compactMap { $0["relevance_score"] as? Double }
          #expect(scores == tei.compactMap { $0["score"] as? Double } && scores.count == 3)
          #expect(ranks.allSatisfy { $0["document"] == nil })
        }
        #expect(answer.object["object"] as? String == "list")
        #expect(answer.object["model"] as? String == "similar")
        let usage = answer.object["usage"] as? [String: Int] ?? [:]
        let tokens = answer.header("x-compute-tokens").flatMap(Int.init)
        #expect(usage["total_tokens"] == tokens && usage["prompt_tokens"] == tokens)
        let meta = (answer.object["meta"] as? [String: Any])?["tokens"] as? [String: Int]
        #expect(meta == ["input_tokens": tokens ?? 0, "output_tokens": 0])
      }
      // TEI's body is TEI's wherever it is sent.
      let other = try await Self.ask(client, "/v2/rerank", "", texts: "texts")
      #expect(other.objects.map { $0["index"] as? Int } == tei.map { $0["index"] as? Int })
    }
  }

  @Test func theBestAreAskedForWithTheirTexts() async throws {
    try await TinyServer().test { client in
      let all = Self.ranks(try await Self.ask(client, "/v1/rerank", ""), "results")
      let words = ["a dog", "the cat", "mat"]
      for (members, count) in [
        (#", "top_n": 1"#, 1), (#", "top_k": 2"#, 2), (#", "top_n": 9"#, 3),
        (#", "top_n": 2, "top_k": 2"#, 2), (#", "top_n": null"#, 3),
      ] {
        let answer = try await Self.ask(
          client, "/v1/rerank", members + #", "return_documents": true"#)
        for list in ["results", "data"] {
          let ranks = Self.ranks(answer, list)
          #expect(
            ranks.map { $0["index"] as? Int } == all.prefix(count).map { $0["index"] as? Int })
          for rank in ranks {
            let document = rank["document"] as? [String: String]
            #expect(document == ["text": words[rank["index"] as? Int ?? 0]])
          }
        }
      }
      // infinity's clients, told by raw_scores, get texts.
      let infinity = try await Self.ask(
        client, "/rerank", #", "raw_scores": true, "return_documents": true"#)
      #expect(infinity.object["object"] as? String == "rerank")
      let ranks = Self.ranks(infinity, "results")
      #expect(ranks.map { $0["index"] as? Int } == all.map { $0["index"] as? Int })
      for (raw, own) in zip(ranks, all) {
        #expect(raw["document"] as? String == words[own["index"] as? Int ?? 0])
        let (x, y) = (
          raw["relevance_score"] as? Double ?? 0, own["relevance_score"] as? Double ?? 0
        )
        #expect(abs(1 / (1 + exp(-x)) - y) < 1e-6)
      }
    }
  }

  @Test func documentsMayBeObjectsWithTexts() async throws {
    try await TinyServer().test { client in
      func post(_ documents: String) async throws -> Client.Answer {
        try await client.post(
          "/v1/rerank", #"{"model": "similar", "query": "cat", "documents": \#(documents)}"#)
      }
      let plain = try await post(#"["a dog", "the cat"]"#)
      let mixed = try await post(#"[{"text": "a dog"}, "the cat"]"#)
      #expect(mixed.status == 200)
      #expect(
        Self.ranks(mixed, "results").map { $0["relevance_score"] as? Double }
          == Self.ranks(plain, "results").map { $0["relevance_score"] as? Double })
      for (documents, words) in [
        (#"["a", 3]"#, "documents[1]: text, or an object with text"),
        (#"[{"title": "a"}]"#, "documents[0]: text, or an object"),
        (#"["a", {"text": "b", "title": "c"}]"#, "documents[1].title is not read"),
        (#""a""#, "documents: a list of texts"),
        ("[]", "there is nothing to do"),
      ] {
        let answer = try await post(documents)
        #expect(answer.status == 400 && answer.message.contains(words), "\(answer.text)")
      }
      let both = try await client.post(
        "/rerank", #"{"model": "similar", "query": "a", "texts": ["b"], "documents": ["c"]}"#)
      #expect(both.status == 422 && both.text.contains("documents has no meaning for /rerank"))
      let topic = try await client.post(
        "/v1/rerank", #"{"model": "topic", "query": "a", "documents": ["b"]}"#)
      #expect(topic.status == 400 && topic.message.contains("is a vBERT for classify"))
    }
  }

  /// infinity's paths and its answer to /classify, told by what vLLM does not know.
  @Test func infinitysOwnShapes() async throws {
    try await TinyServer().test { client in
      let body = #"{"model": "mood", "input": ["good dog", "bad cat"]"#
      let vllm = try await client.post("/classify", body + "}")
      let own = try await client.post("/classify", body + #", "raw_scores": false}"#)
      #expect(own.object["object"] as? String == "classify" && own.status == 200)
      #expect(vllm.object["object"] as? String == "list")
      let data = own.object["data"] as? [[[String: Any]]] ?? []
      let items = vllm.object["data"] as? [[String: Any]] ?? []
      #expect(data.count == 2 && items.count == 2)
      for (labels, item) in zip(data, items) {
        #expect(labels.first?["label"] as? String == item["label"] as? String)
        let scores = labels.compactMap { $0["score"] as? Double }
        #expect(scores == numbers(item["probs"]).sorted(by: >) && scores.count == 2)
      }
      #expect(own.object["usage"] as? [String: Int] == vllm.object["usage"] as? [String: Int])
      #expect(own.object["created"] as? Int != nil && own.object["id"] as? String != nil)
      let embedding = #"{"model": "meaning", "input": "a cat"}"#
      let without = try await client.post("/embeddings", embedding)
      #expect(without.text == (try await client.post("/v1/embeddings", embedding)).text)
      let misspelt = try await client.post("/embeddings", #"{"model": "meaning", "inputt": "a"}"#)
      #expect(misspelt.status == 400 && misspelt.message.contains("member of /embeddings"))
      #expect(try await client.get("/models").text == (try await client.get("/v1/models")).text)
    }
  }
}
