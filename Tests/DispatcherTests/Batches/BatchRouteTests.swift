import Foundation
import HTTPTypes
import Manager
import Model
import ServingSupport
import Testing

@testable import Dispatcher

/// Batches over HTTP, from the file to its answers.
@Suite(.timeLimit(.minutes(2))) struct BatchRouteTests {
  private let home: TinyHome
  private let alice, bob, ask: String

  init() throws {
    home = try TinyHome()
    alice = try home.registry.createTenant("alice")
    bob = try home.registry.createTenant("bob")
    ask = try home.registry.createKey("ask", tenant: "alice", scopes: Scopes("predict")).secret
    let spec = TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"])
    try home.add(VBertName("mood", of: "alice"), spec, seed: 1)
    try home.add(VBertName("mood", of: "bob"), spec, seed: 2)
  }

  static func line(_ id: String, _ body: String, url: String = "/predict") -> String {
    "{\"custom_id\": \"\(id)\", \"method\": \"POST\", \"url\": \"\(url)\", \"body\": \(body)}"
  }

  private static func mood(_ text: String) -> String {
    "{\"model\": \"mood\", \"inputs\": \"\(text)\"}"
  }

  private func upload(
    _ client: Client, _ text: String, key: String? = nil, purpose: String = "batch"
  ) async throws -> Client.Answer {
    let head = "--b\r\nContent-Disposition: form-data; name="
    let form =
      "\(head)\"purpose\"\r\n\r\n\(purpose)\r\n\(head)\"file\"; filename=\"in.jsonl\"\r\n\r\n\(text)\r\n--b--\r\n"
    return try await client.send(
      .post, "/v1/files", Array(form.utf8), ["content-type": "multipart/form-data; boundary=b"],
      key: key ?? alice)
  }

  private func begin(
    _ client: Client, _ lines: [String], endpoint: String = "/predict"
  ) async throws -> String {
    let file = try await upload(client, lines.joined(separator: "\n"))
    #expect(file.status == 200, "\(file.text)")
    let id = try #require(file.object["id"] as? String)
    let batch = try await client.post(
      "/v1/batches",
      """
      {"input_file_id": "\(id)", "endpoint": "\(endpoint)", "completion_window": "24h",
        "metadata": {"My key": "ä"}}
      """, key: alice)
    #expect(batch.status == 200, "\(batch.text)")
    return try #require(batch.object["id"] as? String)
  }

  /// Runs batches until this one is over.
  private func end(
    of id: String, _ client: Client, _ dispatcher: Dispatcher
  ) async throws -> [String: Any] {
    let runner = Task { await dispatcher.runBatches { Issue.record("\($0)") } }
    defer { runner.cancel() }
    while true {
      let batch = try await client.get("/v1/batches/\(id)", key: alice).object
      let status = try #require(batch["status"] as? String)
      guard ["validating", "in_progress", "cancelling"].contains(status) else { return batch }
      try await Task.sleep(for: .milliseconds(20))
    }
  }

  private func content(
    of file: Any?, _ client: Client
  ) async throws -> [[String: Any]] {
    let id = try #require(file as? String)
    let answer = try await client.get("/v1/files/\(id)/content", key: alice)
    #expect(answer.status == 200)
    return try answer.text.split(separator: "\n").map {
      try #require(try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
    }
  }

  @Test func everyRequestIsAnsweredAsItWouldBeAlone() async throws {
    let server = try await TinyServer(home: home)
    try await server.test { client in
      let texts = (0..<100).map { "aa b c\(String(repeating: " b", count: $0 % 7))" }
      var lines = texts.enumerated().map { Self.line("r\($0)", Self.mood($1)) }
      lines.insert(Self.line("none", "{\"model\": \"bob/mood\", \"inputs\": \"a\"}"), at: 3)
      lines.insert("", at: 50)
      lines.append(Self.line("empty", "{\"model\": \"mood\", \"inputs\": \"\"}"))
      let id = try await begin(client, lines)
      let batch = try await end(of: id, client, server.dispatcher)
      #expect(batch["status"] as? String == "completed", "\(batch)")
      #expect(batch["metadata"] as? [String: String] == ["My key": "ä"])
      let counts = try #require(batch["request_counts"] as? [String: Int])
      #expect(counts == ["total": 102, "completed": 100, "failed": 2])
      let answers = try await content(of: batch["output_file_id"], client)
      #expect(answers.map { $0["custom_id"] as? String } == (0..<100).map { "r\($0)" })
      for (text, answer) in zip(texts, answers) {
        let alone = try await client.post("/predict", Self.mood(text), key: alice)
        let response = try #require(answer["response"] as? [String: Any])
        #expect(response["status_code"] as? Int == 200)
        let body = try JSONSerialization.data(
          withJSONObject: try #require(response["body"]), options: .sortedKeys)
        let other = try JSONSerialization.data(
          withJSONObject: try #require(alone.json), options: .sortedKeys)
        #expect(body == other)
      }
      let failures = try await content(of: batch["error_file_id"], client)
      #expect(failures.map { $0["custom_id"] as? String } == ["none", "empty"])
      let statuses = failures.map { ($0["response"] as? [String: Any])?["status_code"] as? Int }
      #expect(statuses == [404, 400])
      let list = try await client.get("/v1/files?purpose=batch_output", key: alice)
      #expect((list.object["data"] as? [Any])?.count == 2)
    }
  }

  @Test func aBatchIsItsTenants() async throws {
    let server = try await TinyServer(home: home)
    try await server.test { client in
      let id = try await begin(client, [Self.line("1", Self.mood("a"))])
      for (path, key, status) in [
        ("/v1/batches/\(id)", bob, 404), ("/v1/batches/batch-x", alice, 404),
        ("/v1/batches/\(id)", ask, 403), ("/v1/batches?limit=0", alice, 400),
        ("/v1/batches/\(id)", alice, 200),
      ] { #expect(try await client.get(path, key: key).status == status, "\(path)") }
      let others = try await client.get("/v1/batches", key: bob)
      #expect((others.object["data"] as? [Any])?.isEmpty == true)
      let cancel = "/v1/batches/\(id)/cancel"
      #expect(try await client.post(cancel, "", key: bob).status == 404)
      let asked = try await client.post(cancel, "", key: alice)
      #expect(asked.object["status"] as? String == "cancelling", "\(asked.text)")
      let batch = try await end(of: id, client, server.dispatcher)
      #expect(batch["status"] as? String == "cancelled")
      #expect(batch["output_file_id"] is NSNull)
      #expect(try await client.post(cancel, "", key: alice).status == 409)
    }
  }

  @Test func filesThatAreNoRequestsAreRefused() async throws {
    let server = try await TinyServer(home: home)
    let good = Self.line("1", Self.mood("a"))
    try await server.test { client in
      for (text, words) in [
        ("", "no requests"), ("no", "line 1"), (good + "\n[1]", "line 2: it is no JSON object"),
        (good + "\n" + good, "request 2: custom_id 1 is there already"),
        (good + "\n" + Self.line("2", "{}", url: "/embed"), "one batch asks one"),
        (Self.line("1", "{}", url: "/v1/files"), "nothing is asked at /v1/files"),
        (Self.line("", "{}"), "custom_id"), (Self.line("1", "[]"), "body: an object"),
        (good.replacing("POST", with: "GET"), "method"),
        (good.replacing("\"url\"", with: "\"uri\""), "uri is no member"),
      ] {
        let answer = try await upload(client, text)
        #expect(answer.status == 400 && answer.text.contains(words), "\(text): \(answer.text)")
      }
      let file = try await upload(client, good)
      #expect((file.object["report"] as? [String: Any])?["endpoint"] as? String == "/predict")
      let id = try #require(file.object["id"] as? String)
      let rows = try await upload(client, "{\"text\": \"a\"}", purpose: "fine-tune")
      let other = try #require(rows.object["id"] as? String)
      for (body, words) in [
        (
          "{\"input_file_id\": \"\(id)\", \"endpoint\": \"/embed\", \"completion_window\": \"24h\"}",
          "ask /predict"
        ),
        (
          "{\"input_file_id\": \"\(id)\", \"endpoint\": \"/predict\", \"completion_window\": \"1h\"}",
          "24h"
        ),
        (
          "{\"input_file_id\": \"\(other)\", \"endpoint\": \"/predict\", \"completion_window\": \"24h\"}",
          "purpose batch"
        ),
        ("{\"input_file_id\": \"\(id)\", \"endpoint\": \"/predict\"}", "completion_window"),
        ("{\"input_file_id\": \"\(id)\", \"window\": 1}", "window is no member"),
      ] {
        let answer = try await client.post("/v1/batches", body, key: alice)
        #expect(answer.status == 400 && answer.text.contains(words), "\(answer.text)")
      }
      let trains = try home.registry.createKey(
        "trains", tenant: "alice", scopes: Scopes("train")
      ).secret
      let asked = try await client.post(
        "/v1/batches",
        "{\"input_file_id\": \"\(id)\", \"endpoint\": \"/predict\", \"completion_window\": \"24h\"}",
        key: trains)
      #expect(asked.status == 403 && asked.text.contains("predict"), "\(asked.text)")
      let job = try await client.post(
        "/v1/fine_tuning/jobs", "{\"model\": \"mood\", \"training_file\": \"\(id)\"}", key: alice)
      #expect(job.status == 400 && job.text.contains("brought for a batch"), "\(job.text)")
    }
  }

  /// What was written and not noted goes, and what was noted is not asked again.
  @Test func itGoesOnWhereItWas() async throws {
    let server = try await TinyServer(home: home)
    try await server.test { client in
      let lines = (0..<5).map { Self.line("r\($0)", Self.mood("a\($0)")) }
      let id = try await begin(client, lines)
      let record = try #require(try home.registry.batch(id, of: "alice"))
      let files = UploadedFiles(home.home)
      let part = files.path(of: record.output) + ".part"
      try Data("{\"custom_id\": \"r0\"}\n{\"custom_id\": \"r1\"}\n{\"cut".utf8)
        .write(to: URL(filePath: part))
      _ = try home.registry.note(
        BatchProgress(total: 5, completed: 2, output: 40), of: record.number)
      let batch = try await end(of: id, client, server.dispatcher)
      let answers = try await content(of: batch["output_file_id"], client)
      #expect(answers.map { $0["custom_id"] as? String } == (0..<5).map { "r\($0)" })
      #expect(answers.map { $0["response"] == nil } == [true, true, false, false, false])
      #expect(!FileManager.default.fileExists(atPath: part))
    }
  }

  @Test func aFileThatIsGoneEndsIt() async throws {
    let server = try await TinyServer(home: home)
    try await server.test { client in
      let id = try await begin(client, [Self.line("1", Self.mood("a"))])
      let record = try #require(try home.registry.batch(id, of: "alice"))
      let deleted = try await client.send(.delete, "/v1/files/\(record.input)", key: alice)
      #expect(deleted.status == 409, "\(deleted.text)")
      UploadedFiles(home.home).remove(record.input)
      let batch = try await end(of: id, client, server.dispatcher)
      #expect(batch["status"] as? String == "failed")
      let errors = (batch["errors"] as? [String: Any])?["data"] as? [[String: Any]]
      #expect(errors?.first?["message"] as? String == "its file is gone")
    }
  }
}
