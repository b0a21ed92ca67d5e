import Foundation
import HTTPTypes
import Manager
import Model
import ServingSupport
import Testing

@testable import Dispatcher

/// Where a request says whom it asks: in its body, in its query, in its path, or by its key.
@Suite(.timeLimit(.minutes(5))) struct NamingTests {
  /// What of an answer differs between two that are the same.
  private static func plain(_ answer: Client.Answer) -> NSObject? {
    guard var object = answer.json as? [String: Any] else { return answer.json as? NSObject }
    object["id"] = nil
    object["created"] = nil
    return object as NSObject
  }

  /// A name in the path, in the query and in the body is one name, before any route.
  @Test func everyPlaceIsTheSame() async throws {
    try await TinyServer().test { client in
      for (dialect, body) in DialectTests.bodies {
        let inBody = try await client.post(dialect.path, body + "}")
        #expect(inBody.status == 200)
        let name = try #require(inBody.text.isEmpty ? nil : Self.name(in: body))
        let bare = body.replacing("\"model\": \"\(name)\", ", with: "") + "}"
        for (path, text) in [
          ("\(dialect.path)?model=\(name)", bare), ("\(dialect.path)?adapter_id=\(name)", bare),
          ("/m/\(name)\(dialect.path)", bare), ("/m/\(name)\(dialect.path)", body + "}"),
          ("/m/\(name)\(dialect.path)?model=\(name)", body + "}"),
          ("/m/default%2F\(name)\(dialect.path)?model=\(name)&adapter_id=default/\(name)", bare),
          ("/m/\(name)@1\(dialect.path)?model=\(name)%401", bare),
        ] {
          let answer = try await client.post(path, text)
          #expect(answer.status == 200, "\(path): \(answer.text)")
          // The name is told as it was asked.
          if !path.contains("@1"), !path.contains("%2F") {
            #expect(Self.plain(answer) == Self.plain(inBody), "\(path)")
          }
        }
      }
    }
  }

  private static func name(in body: String) -> String? {
    body.firstMatch(of: /"model": "([a-z-]+)"/).map { String($0.1) }
  }

  /// Two names are refused, whoever they name; the same words for a vBERT that is another tenant's.
  @Test func twoNamesAreRefused() async throws {
    try await TinyServer().test { client in
      let ask = #"{"inputs": "a cat"}"#
      for (path, body, words) in [
        (
          "/m/topic/predict", #"{"inputs": "a", "model": "mood"}"#,
          "the path names topic, and the body mood"
        ),
        ("/m/topic/predict", #"{"inputs": "a", "adapter_id": "mood"}"#, "the body mood"),
        ("/m/topic/predict?model=mood", ask, "the path names topic, and the query mood"),
        ("/predict?model=topic&model=mood", ask, "the query names topic, and the query mood"),
        ("/predict?model=topic&adapter_id=mood", ask, "and the query mood"),
        ("/predict?model=topic", #"{"inputs": "a", "model": "mood"}"#, "and the body mood"),
        ("/m/topic/predict", #"{"inputs": "a", "model": "topic@1"}"#, "and the body topic@1"),
        ("/m/topic", #"{"inputs": "a", "model": "made-up"}"#, "and the body made-up"),
        ("/m/topic/predict", #"{"inputs": "a", "model": ""}"#, "and the body "),
      ] {
        let answer = try await client.post(path, body)
        #expect(answer.status == 422, "\(path) \(body): \(answer.text)")
        #expect(answer.text.contains(words), "\(answer.text)")
      }
      let openAI = try await client.post(
        "/m/meaning/v1/embeddings", #"{"input": "a", "model": "text-embedding-3-small"}"#)
      #expect(openAI.status == 400 && openAI.param == "model")
      #expect(openAI.message.contains("sends the same name"))
      // LoRAX' clients name a base beside the adapter.
      let lorax = try await client.post(
        "/m/topic/predict", #"{"inputs": "a", "model": "tiny", "adapter_id": "topic"}"#)
      #expect(lorax.status == 200)
    }
  }

  @Test func whoIsNotThereIsNotFoundInAnyPlace() async throws {
    try await TinyServer().test { client in
      for (path, body) in [
        ("/m/nobody/embed", #"{"inputs": "a"}"#), ("/m/nobody", #"{"inputs": "a"}"#),
        ("/embed?model=nobody", #"{"inputs": "a"}"#), ("/m/topic@9/predict", #"{"inputs": "a"}"#),
        ("/m/nobody/v1/embeddings", #"{"input": "a"}"#), ("/m/%20/embed", #"{"inputs": "a"}"#),
        ("/m/a%2Fb%2Fc/embed", #"{"inputs": "a"}"#), ("/m/%FF/embed", #"{"inputs": "a"}"#),
      ] {
        let answer = try await client.post(path, body)
        #expect(answer.status == 404 && answer.text.contains("there is no vBERT named"), "\(path)")
      }
      for path in ["/m/nobody/info", "/m/nobody/health", "/m/nobody/v1/models"] {
        #expect(try await client.get(path).status == 404, "\(path)")
      }
    }
  }

  /// What is behind a path is told as what is without it is.
  @Test func methodsOfPrefixedPaths() async throws {
    try await TinyServer().test { client in
      for (method, path, status, allowed) in [
        ("GET", "/m/topic/predict", 405, "POST, OPTIONS"),
        ("OPTIONS", "/m/topic/v1/embeddings", 204, "POST, OPTIONS"),
        ("OPTIONS", "/m/topic", 204, "POST, OPTIONS"), ("GET", "/m/topic", 405, "POST, OPTIONS"),
        ("HEAD", "/m/topic/info", 200, nil), ("POST", "/m/topic/info", 405, "GET, HEAD, OPTIONS"),
        ("HEAD", "/m/nobody/info", 404, nil), ("GET", "/m/topic/nothing", 404, nil),
        ("GET", "/m", 404, nil),
      ] as [(String, String, Int, String?)] {
        let answer = try await client.send(try #require(.init(method)), path)
        #expect(answer.status == status, "\(method) \(path)")
        #expect(answer.header("allow") == allowed, "\(method) \(path)")
        if method == "HEAD" { #expect(answer.bytes.isEmpty) }
      }
      let unknown = try await client.get("/m/topic/v1/nothing")
      #expect((unknown.object["error"] as? [String: Any])?["message"] != nil)
    }
  }

  @Test func aVBERTSaysWhatItIs() async throws {
    try await TinyServer().test { client in
      let topic = try await client.get("/m/topic/info").object
      #expect(topic["model_id"] as? String == "topic" && topic["task"] as? String == "classify")
      let kind = (topic["model_type"] as? [String: Any])?["classifier"] as? [String: Any]
      #expect(kind?["id2label"] as? [String: String] == ["0": "a", "1": "b", "2": "c"])
      #expect(kind?["label2id"] as? [String: Int] == ["a": 0, "b": 1, "c": 2])
      let meaning = try await client.get("/m/meaning/info").object["model_type"] as? [String: Any]
      #expect((meaning?["embedding"] as? [String: Any])?["pooling"] != nil)
      #expect(try await client.get("/m/meaning/health").text == #"{"status":"ready"}"#)
      let list = try await client.get("/m/meaning/v1/models").object["data"] as? [[String: Any]]
      #expect(list?.compactMap { $0["id"] as? String } == ["meaning"])
      #expect(try await client.get("/m/meaning/v1/models/meaning").status == 200)
      let other = try await client.get("/m/meaning/v1/models/topic")
      #expect(other.status == 400 && other.message.contains("the path topic"))
    }
  }

  /// A key may have a vBERT that answers where nobody is named; whoever is named goes before it.
  @Test func aKeyNamesWhoIsAsked() async throws {
    let home = try TinyHome()
    try home.addAll()
    let spec = TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"])
    let alice = try await home.registry.createTenant("alice")
    try home.add("alice/mood", spec, seed: 1)
    try home.add("alice/other", spec, seed: 2)
    let server = try await TinyServer(home: home)
    try await server.test { client in
      let made = try await client.post(
        "/v1/keys", #"{"label": "web", "scopes": ["predict"], "vbert": "mood"}"#, key: alice)
      #expect(made.status == 200 && made.object["vbert"] as? String == "mood", "\(made.text)")
      let key = try #require(made.object["key"] as? String)
      let nobody = #"{"inputs": "a cat"}"#
      let usual = try await client.post("/predict", nobody, key: key)
      let named = try await client.post(
        "/predict", #"{"inputs": "a cat", "model": "mood"}"#, key: alice)
      #expect(usual.status == 200 && usual.text == named.text)
      let other = try await client.post("/predict?model=other", nobody, key: key)
      let path = try await client.post("/m/other/predict", nobody, key: key)
      #expect(other.status == 200 && other.text == path.text && other.text != usual.text)
      #expect(try await client.post("/predict", nobody, key: alice).status == 422)

      // It is listed, kept by a rotation, and nobody's when its vBERT is gone.
      let list = try await client.get("/v1/keys", key: alice).object["data"] as? [[String: Any]]
      #expect(list?.compactMap { $0["vbert"] as? String } == ["mood"])
      let audit = try await client.get("/v1/audit?limit=1", key: alice)
      #expect(audit.text.contains("predict, asks alice/mood"))
      let rotated = try await client.post("/v1/keys/web/rotate", "", key: alice)
      let fresh = try #require(rotated.object["key"] as? String)
      #expect(try await client.post("/predict", nobody, key: fresh).text == usual.text)
      _ = try await client.send(.delete, "/v1/vberts/mood", key: alice)
      let gone = try await client.post("/predict", nobody, key: fresh)
      #expect(gone.status == 404 && gone.text.contains("no vBERT named mood"))

      // No key asks what is not there, or is another tenant's: in the same words.
      let unknown = try await client.post(
        "/v1/keys", #"{"label": "x", "vbert": "nothing"}"#, key: alice)
      #expect(unknown.status == 404)
      let foreign = try await client.post(
        "/v1/keys", #"{"label": "x", "vbert": "default/topic"}"#, key: alice)
      let none = try await client.post(
        "/v1/keys", #"{"label": "x", "vbert": "default/nothing"}"#, key: alice)
      #expect(foreign.status == 404 && none.status == 404)
      #expect(foreign.text.replacing("topic", with: "nothing") == none.text)
      let ops = try home.registry.createKey(
        "ops", tenant: "default", scopes: .admin, vbert: "alice/other")
      let theirs = try await client.post("/predict", nobody, key: ops.secret)
      #expect(theirs.text == other.text)
    }
  }
}
