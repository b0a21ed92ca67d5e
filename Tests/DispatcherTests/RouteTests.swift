import Foundation
import Manager
import Scheduler
import ServingSupport
import Testing

@testable import Dispatcher

@Suite(.timeLimit(.minutes(5))) struct RouteTests {
  @Test func labels() async throws {
    try await TinyServer().test { client in
      let one = try await client.post(
        "/predict", #"{"adapter_id": "topic", "inputs": "the cat sat on the mat."}"#)
      #expect(one.status == 200)
      #expect(one.objects.count == 3)
      #expect(Set(one.objects.compactMap { $0["label"] as? String }) == ["a", "b", "c"])
      let scores = one.objects.compactMap { $0["score"] as? Double }
      #expect(abs(scores.reduce(0, +) - 1) < 1e-5 && scores == scores.sorted(by: >))
      #expect(one.header("x-compute-tokens") == "9")
      #expect(one.header("x-vbert-version") == "1")
      for name in [
        "x-total-time", "x-tokenization-time", "x-queue-time", "x-lookup-time", "x-inference-time",
        "x-plot-hit-rate",
      ] {
        #expect(one.header(name).flatMap(Double.init) != nil, "\(name)")
      }

      let many = try await client.post(
        "/predict", #"{"model": "topic", "inputs": [["the cat sat on the mat."], ["a", "b"]]}"#)
      #expect(many.list.count == 2)
      let first = (many.list.first as? [[String: Any]])?.compactMap { $0["score"] as? Double } ?? []
      #expect(zip(first, scores).allSatisfy { abs($0 - $1) < 1e-5 } && first.count == 3)

      let raw = try await client.post(
        "/predict", #"{"model": "topic", "inputs": "the cat sat on the mat.", "raw_scores": true}"#)
      let logits = raw.objects.compactMap { $0["score"] as? Double }
      let sum = logits.map(exp).reduce(0, +)
      #expect(zip(logits, scores).allSatisfy { abs(exp($0) / sum - $1) < 1e-5 })

      let multi = try await client.post("/predict", #"{"model": "tags", "inputs": "a dog"}"#)
      #expect(multi.objects.count == 4)
      #expect(multi.objects.allSatisfy { (0...1).contains($0["score"] as? Double ?? -1) })

      let pair = try await client.post("/predict", #"{"model": "similar", "inputs": ["a", "b"]}"#)
      #expect(pair.objects.count == 1 && pair.objects[0]["label"] as? String == "score")
    }
  }

  @Test func classifyAsVLLM() async throws {
    try await TinyServer().test { client in
      let answer = try await client.post(
        "/classify", #"{"model": "mood", "input": ["good dog", "bad cat"]}"#)
      #expect(answer.status == 200 && answer.object["object"] as? String == "list")
      let data = answer.object["data"] as? [[String: Any]] ?? []
      #expect(data.count == 2)
      for (index, item) in data.enumerated() {
        let probabilities = numbers(item["probs"])
        #expect(item["index"] as? Int == index && item["num_classes"] as? Int == 2)
        #expect(abs(probabilities.reduce(0, +) - 1) < 1e-5)
        let best = probabilities[0] >= probabilities[1] ? "good" : "bad"
        #expect(item["label"] as? String == best)
      }
      let usage = answer.object["usage"] as? [String: Any]
      #expect(usage?["prompt_tokens"] as? Int == 8 && usage?["total_tokens"] as? Int == 8)
    }
  }

  @Test func embeddings() async throws {
    try await TinyServer().test { client in
      let plain = try await client.post(
        "/embed", #"{"model": "meaning", "inputs": ["red dog", "blue cat", "red dog"]}"#)
      let vectors = plain.list.map(numbers)
      #expect(plain.status == 200 && vectors.map(\.count) == [32, 32, 32])
      #expect(vectors.allSatisfy { abs($0.reduce(0) { $0 + $1 * $1 } - 1) < 1e-5 })
      #expect(zip(vectors[0], vectors[2]).allSatisfy { abs($0 - $1) < 1e-5 })

      let raw = try await client.post(
        "/embed", #"{"model": "meaning", "inputs": "red dog", "normalize": false}"#)
      let state = numbers(raw.list.first)
      let norm = state.reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect(zip(state, vectors[0]).allSatisfy { abs($0 / norm - $1) < 1e-5 })

      let short = try await client.post(
        "/embed", #"{"model": "meaning", "inputs": "red dog", "dimensions": 5}"#)
      let five = numbers(short.list.first)
      let part = vectors[0].prefix(5).reduce(0) { $0 + $1 * $1 }.squareRoot()
      #expect(five.count == 5)
      #expect(zip(five, vectors[0]).allSatisfy { abs($0 - $1 / part) < 1e-5 })

      let openAI = try await client.post(
        "/v1/embeddings", #"{"model": "meaning", "input": ["red dog", "blue cat"]}"#)
      let data = openAI.object["data"] as? [[String: Any]] ?? []
      #expect(openAI.object["model"] as? String == "meaning")
      #expect(data.count == 2 && data[1]["index"] as? Int == 1)
      #expect(zip(numbers(data[1]["embedding"]), vectors[1]).allSatisfy { abs($0 - $1) < 1e-5 })

      let packed = try await client.post(
        "/v1/embeddings",
        #"{"model": "meaning", "input": "red dog", "encoding_format": "base64"}"#)
      let text = (packed.object["data"] as? [[String: Any]])?.first?["embedding"] as? String
      let bytes = [UInt8](Data(base64Encoded: text ?? "") ?? Data())
      #expect(bytes.count == 128)
      for (i, expected) in vectors[0].enumerated() where bytes.count == 128 {
        let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[4 * i + $1]) << UInt32(8 * $1) }
        #expect(abs(Double(Float(bitPattern: bits)) - expected) < 1e-5)
      }

      let cosines = try await client.post(
        "/similarity",
        #"{"model": "meaning", "inputs": {"source_sentence": "red dog", "sentences": ["red dog", "blue cat"]}}"#
      )
      let found = numbers(cosines.json)
      #expect(found.count == 2 && abs(found[0] - 1) < 1e-5)
      #expect(abs(found[1] - zip(vectors[0], vectors[1]).reduce(0) { $0 + $1.0 * $1.1 }) < 1e-5)
    }
  }

  @Test func ranks() async throws {
    try await TinyServer().test { client in
      let answer = try await client.post(
        "/rerank",
        #"{"model": "similar", "query": "cat", "texts": ["a dog", "the cat", "mat"], "return_text": true}"#
      )
      let scores = answer.objects.compactMap { $0["score"] as? Double }
      #expect(scores.count == 3 && scores == scores.sorted(by: >))
      #expect(Set(answer.objects.compactMap { $0["index"] as? Int }) == [0, 1, 2])
      let texts = ["a dog", "the cat", "mat"]
      for item in answer.objects {
        #expect(item["text"] as? String == texts[item["index"] as? Int ?? 0])
      }
    }
  }

  @Test func entities() async throws {
    try await TinyServer().test { client in
      let text = "ann, in big london; bob's dog \u{1F600} went"
      let body = #"{"model": "names", "inputs": "\#(text)", "aggregation_strategy": "none"}"#
      let all = try await client.post("/tag", body)
      let words = all.objects.compactMap { $0["word"] as? String }
      #expect(all.status == 200)
      #expect(
        words == ["ann", ",", "in", "big", "london", ";", "bob's", "dog", "\u{1F600}", "went"])
      let scalars = Array(text.unicodeScalars)
      for item in all.objects {
        let (start, end) = (item["start"] as? Int ?? 0, item["end"] as? Int ?? 0)
        let slice = String(String.UnicodeScalarView(scalars[start..<end]))
        #expect(slice == item["word"] as? String)
        #expect((0...1).contains(item["score"] as? Double ?? -1))
      }
      let list = words.map { "\"\($0)\"" }.joined(separator: ",")
      let given = try await client.post(
        "/tag",
        #"{"model": "names", "inputs": [[\#(list)], ["a"]], "aggregation_strategy": "none"}"#)
      let first = given.list.first as? [[String: Any]] ?? []
      #expect(given.list.count == 2 && first.count == words.count)
      for (a, b) in zip(first, all.objects) {
        #expect(a["entity"] as? String == b["entity"] as? String)
        #expect(a["word"] as? String == b["word"] as? String)
      }
      let groups = try await client.post("/tag", #"{"model": "names", "inputs": "\#(text)"}"#)
      let predicted = try await client.post(
        "/predict", #"{"model": "names", "inputs": "\#(text)"}"#)
      #expect(groups.status == 200 && groups.text == predicted.text)
      for group in groups.objects {
        #expect(["PER", "LOC"].contains(group["entity_group"] as? String ?? ""))
      }
    }
  }

  @Test func tokens() async throws {
    try await TinyServer().test { client in
      let answer = try await client.post(
        "/tokenize", #"{"model": "topic", "inputs": ["cats", "\u00e9 dog"]}"#)
      let first = answer.list.first as? [[String: Any]] ?? []
      #expect(first.compactMap { $0["text"] as? String } == ["[CLS]", "cat", "s", "[SEP]"])
      #expect(first.map { $0["special"] as? Bool } == [true, false, false, true])
      #expect(first[0]["start"] is NSNull && first[2]["start"] as? Int == 3)
      let bare = try await client.post(
        "/tokenize", #"{"model": "topic", "inputs": "cats", "add_special_tokens": false}"#)
      #expect((bare.list.first as? [Any])?.count == 2)
    }
  }

  @Test func modelsArePaged() async throws {
    try await TinyServer().test { client in
      let all = try await client.get("/v1/models")
      let names = (all.object["data"] as? [[String: Any]])?.compactMap { $0["id"] as? String } ?? []
      #expect(
        names == names.sorted() && names.count == TinyHome.names.count
          && all.object["has_more"] as? Bool == false)
      let page = try await client.get("/v1/models?limit=2&after=meaning")
      let data = page.object["data"] as? [[String: Any]] ?? []
      #expect(data.compactMap { $0["id"] as? String } == ["mood", "names"])
      #expect(page.object["has_more"] as? Bool == true)
      let one = try await client.get("/v1/models/topic")
      #expect(one.object["task"] as? String == "classify" && one.object["version"] as? Int == 1)
      #expect(one.object["owned_by"] as? String == "default")
      #expect(try await client.get("/v1/models/nobody").status == 404)
      #expect(try await client.get("/v1/models?limit=0").status == 400)
    }
  }

  @Test func stateIsTold() async throws {
    let server = try await TinyServer()
    try await server.test { client in
      _ = try await client.post("/predict", #"{"model": "topic", "inputs": "a cat"}"#)
      _ = try await client.post("/predict", #"{"model": "nobody", "inputs": "a cat"}"#)
      // What the server asks itself is in no metric of what was asked for.
      let probe = try server.home.request(
        server.home.pinned("topic"), TinyModel.tokens([2, 11, 12, 3]))
      _ = try await server.pipeline.intake.replies(
        to: [probe], Arrival(tenant: -1, weight: 1, deadline: .now + .seconds(60)), isProbe: true)
      #expect(try await client.get("/health").status == 200)
      let info = try await client.get("/info")
      let bases = info.object["bases"] as? [[String: Any]] ?? []
      #expect(bases.compactMap { $0["name"] as? String } == ["dense", "tiny"])
      #expect(bases.map { $0["skip"] as? Int } == [0, 2])
      let page = try await client.get("/metrics")
      #expect(page.header("content-type")?.hasPrefix("text/plain; version=0.0.4") == true)
      #expect(
        page.text.contains("vbert_http_requests_total{route=\"/predict\",status=\"404\"} 1\n"))
      #expect(page.text.contains("vbert_sequences_total{outcome=\"answered\"} 1\n"))
      #expect(page.text.contains("vbert_adapters_resident 1\n"))
      #expect(page.text.contains("vbert_compute_seconds_count 1\n"))
      #expect(page.text.contains("vbert_batches_total 1\n"))
      #expect(page.text.contains("vbert_queue_seconds_count 1\n"))
      var typed: Set<String> = []
      for line in page.text.split(separator: "\n") {
        if line.hasPrefix("# TYPE ") {
          #expect(typed.insert(String(line.split(separator: " ")[2])).inserted, "twice: \(line)")
          continue
        }
        let value = line.split(separator: " ").last.flatMap { Double($0) }
        #expect(value != nil, "\(line)")
      }
      await server.pipeline.stop()
      let gone = try await client.get("/health")
      #expect(gone.status == 503 && gone.object["error_type"] as? String == "Unhealthy")
      let late = try await client.post("/predict", #"{"model": "topic", "inputs": "a cat"}"#)
      #expect(late.status == 503 && late.header("retry-after") != nil)
    }
  }
}
