import Foundation
import Manager
import ServingSupport
import Testing

@testable import Dispatcher

/// A vBERT at its own address, in the shapes of Hugging Face's inference.
@Suite(.timeLimit(.minutes(5))) struct PipelineTests {
  @Test func embeddersGiveFeatures() async throws {
    try await TinyServer().test { client in
      let own = try await client.post("/m/meaning", #"{"inputs": "red dog"}"#)
      let embed = try await client.post("/m/meaning/embed", #"{"inputs": ["red dog"]}"#)
      #expect(own.status == 200 && own.text == embed.text)
      let raw = try await client.post(
        "/m/meaning", #"{"inputs": "red dog", "parameters": {"normalize": false}}"#)
      #expect(raw.status == 200 && raw.text != own.text)
      let sentences = #"{"source_sentence": "red dog", "sentences": ["red dog", "blue cat"]}"#
      let near = try await client.post("/m/meaning", #"{"inputs": \#(sentences)}"#)
      let similarity = try await client.post(
        "/similarity", #"{"model": "meaning", "inputs": \#(sentences)}"#)
      #expect(near.status == 200 && near.text == similarity.text && near.list.count == 2)
    }
  }

  /// A list of texts is several texts here, where /predict takes two for a pair.
  @Test func classifiersGiveLabelsInAList() async throws {
    try await TinyServer().test { client in
      func one(_ inputs: String) async throws -> String {
        try await client.post("/predict", #"{"model": "topic", "inputs": \#(inputs)}"#).text
      }
      let (cat, dog) = (try await one(#""a cat""#), try await one(#""a dog""#))
      let pair = try await one(#"["a cat", "a dog"]"#)
      for (inputs, expected) in [
        (#""a cat""#, "[\(cat)]"), (#"["a cat", "a dog"]"#, "[\(cat),\(dog)]"),
        (#"["a cat"]"#, "[\(cat)]"),
        (#"{"text": "a cat", "text_pair": "a dog"}"#, "[\(pair)]"),
        (#"[{"text": "a dog"}, {"text": "a cat", "text_pair": "a dog"}]"#, "[\(dog),\(pair)]"),
        (#"[["a cat", "a dog"]]"#, "[\(pair)]"),
      ] {
        let answer = try await client.post("/m/topic", #"{"inputs": \#(inputs)}"#)
        #expect(answer.status == 200, "\(inputs): \(answer.text)")
        let found = (answer.json as? [[[String: Any]]])?.map { $0.map { $0["label"] as? String } }
        let wanted =
          (try JSONSerialization.jsonObject(with: Data(expected.utf8)) as? [[[String: Any]]])?
          .map { $0.map { $0["label"] as? String } }
        #expect(found == wanted, "\(inputs): \(answer.text)")
        if inputs.hasPrefix("\"") { #expect(answer.text == expected) }
      }
      let best = try await client.post(
        "/m/topic", #"{"inputs": "a cat", "parameters": {"top_k": 1}}"#)
      #expect((best.json as? [[Any]])?.map(\.count) == [1])
      let score = try await client.post(
        "/m/similar", #"{"inputs": {"text": "a", "text_pair": "b"}}"#)
      #expect((score.json as? [[[String: Any]]])?.first?.first?["label"] as? String == "score")
    }
  }

  @Test func taggersGiveEntities() async throws {
    try await TinyServer().test { client in
      let own = try await client.post("/m/names", #"{"inputs": "ann in london"}"#)
      let tag = try await client.post("/m/names/tag", #"{"inputs": "ann in london"}"#)
      #expect(own.status == 200 && own.text == tag.text)
      let words = try await client.post(
        "/m/names",
        #"{"inputs": "ann in london", "parameters": {"aggregation_strategy": "none"}}"#)
      #expect(words.objects.count == 3)
    }
  }

  /// At the server's own address too, where the body, the query or the key says who is asked.
  @Test func theServersAddressIsThatOfWhoIsNamed() async throws {
    let home = try TinyHome()
    try home.addAll()
    let server = try await TinyServer(home: home)
    try await server.test { client in
      let topic = try await client.post("/m/topic", #"{"inputs": "a cat"}"#)
      let embed = try await client.post("/m/meaning", #"{"inputs": "a cat"}"#)
      let inBody = try await client.post("/", #"{"inputs": "a cat", "model": "topic"}"#)
      #expect(inBody.status == 200 && inBody.text == topic.text)
      #expect(try await client.post("/?model=meaning", #"{"inputs": "a cat"}"#).text == embed.text)
      let nobody = try await client.post("/", #"{"inputs": "a cat"}"#)
      #expect(nobody.status == 422 && nobody.message.hasPrefix("model: say which vBERT"))
      #expect(try await client.post("/", #"{"inputs": "a", "model": 3}"#).status == 422)
      #expect(try await client.post("/", #"{"inputs": "a", "model": "none"}"#).status == 404)
      #expect(try await client.post("/", "{").status == 400)
      let odd = try await client.post("/?model=topic", #"{"inputs": "a", "stride": 1}"#)
      #expect(odd.message.hasPrefix("stride is not honoured by /:"))
      #expect(try await client.get("/").status == 405)

      let key = try home.registry.createKey(
        "web", tenant: "default", scopes: .standard, vbert: "meaning"
      ).secret
      #expect(try await client.post("/", #"{"inputs": "a cat"}"#, key: key).text == embed.text)
      let other = try await client.post("/", #"{"inputs": "a cat", "model": "topic"}"#, key: key)
      #expect(other.text == topic.text)
    }
  }

  /// What has no meaning is refused by name, with the address that was asked.
  @Test func whatHasNoMeaningIsRefused() async throws {
    try await TinyServer().test { client in
      for (path, body, words) in [
        (
          "/m/topic", #"{"inputs": "a", "parameters": {"candidate_labels": ["x", "y"]}}"#,
          "parameters.candidate_labels is not honoured by /m/topic: a vBERT answers with the labels"
        ),
        ("/m/meaning", #"{"inputs": "a", "prompt_name": "query"}"#, "prompt_name is not honoured"),
        (
          "/m/meaning", #"{"inputs": "a", "parameters": {"top_k": 2}}"#,
          "parameters.top_k has no meaning for /m/meaning"
        ),
        ("/m/names", #"{"inputs": "a", "parameters": {"stride": 3}}"#, "parameters.stride"),
        ("/m/topic", #"{"inputs": 3}"#, "inputs: a text, a pair"),
        ("/m/topic", #"{"inputs": {"text": "a", "other": "b"}}"#, "inputs: a text, a pair"),
        ("/m/topic", #"{"inputs": {"text": "a", "text_pair": 3}}"#, "inputs: a text, a pair"),
        ("/m/meaning", #"{"inputs": {"source_sentence": "a"}}"#, "inputs.sentences: it is missing"),
      ] {
        let answer = try await client.post(path, body)
        #expect(answer.status == 422 && answer.text.contains(words), "\(body): \(answer.text)")
      }
      #expect(try await client.post("/m/topic", #"{"inputs": []}"#).status == 400)
    }
  }
}
