import Foundation
import HTTPTypes
import Manager
import Model
import ServingSupport
import Testing

@testable import Dispatcher

/// Files and fine-tunings over HTTP; the training itself is tested where it happens.
@Suite(.timeLimit(.minutes(2))) struct FineTuningRouteTests {
  private struct World {
    let home: TinyHome
    let server: TinyServer
    let alice, bob, ops, ask: String

    init() async throws {
      home = try TinyHome()
      try home.addAll()
      let spec = TinyModel.spec(.classify, TinyHome.bottleneck, labels: ["x", "y"])
      alice = try await home.registry.createTenant("alice")
      bob = try await home.registry.createTenant("bob")
      try home.add(VBertName("mood", of: "alice"), spec, seed: 1)
      ops = try home.registry.createKey("ops", tenant: "default", scopes: .admin).secret
      ask = try home.registry.createKey("ask", tenant: "alice", scopes: Scopes("predict")).secret
      server = try await TinyServer(home: home)
    }
  }

  private static func form(
    _ text: String, purpose: String? = "fine-tune", more: String = ""
  ) -> [UInt8] {
    let head = "Content-Disposition: form-data; name="
    let first = purpose.map { "--b\r\n\(head)\"purpose\"\r\n\r\n\($0)\r\n" } ?? ""
    return Array(
      (first + more
        + "--b\r\n\(head)\"file\"; filename=\"ä.jsonl\"\r\n\r\n\(text)\r\n--b--\r\n").utf8)
  }

  private static let fields = ["content-type": "multipart/form-data; boundary=b"]

  private func upload(_ client: Client, _ text: String, key: String) async throws -> String {
    let made = try await client.send(.post, "/v1/files", Self.form(text), Self.fields, key: key)
    #expect(made.status == 200, "\(made.text)")
    return try #require(made.object["id"] as? String)
  }

  @Test func aFileIsKeptToldAndRemoved() async throws {
    let world = try await World()
    try await world.server.test { client in
      let rows = "{\"a\": 1}\n{\"a\": 2}"
      let made = try await client.send(
        .post, "/v1/files", Self.form(rows), Self.fields, key: world.alice)
      #expect(made.status == 200, "\(made.text)")
      let id = try #require(made.object["id"] as? String)
      #expect(made.object["bytes"] as? Int == rows.utf8.count)
      #expect(made.object["filename"] as? String == "ä.jsonl")
      #expect(made.object["status"] as? String == "processed")
      let report = try #require(made.object["report"] as? [String: Any])
      #expect(report["rows"] as? Int == 2 && report["task"] as? String == "classify")
      // A label is nobody's member name: it stays as it was written.
      let labels = report["labels"] as? [[String: Any]]
      #expect(labels?.first?["label"] as? String == "A b")
      #expect(try await client.get("/v1/files/\(id)/content", key: world.alice).text == rows)
      for (path, key, status) in [
        ("/v1/files/\(id)", world.alice, 200), ("/v1/files/\(id)", world.ops, 200),
        ("/v1/files/\(id)", world.bob, 404), ("/v1/files/file-x", world.alice, 404),
        ("/v1/files/\(id)/content", world.bob, 404), ("/v1/files/\(id)", world.ask, 403),
        ("/v1/files?limit=0", world.alice, 400), ("/v1/files?purpose=assistants", world.alice, 400),
      ] { #expect(try await client.get(path, key: key).status == status, "\(path)") }
      let list = try await client.get("/v1/files", key: world.alice)
      #expect((list.object["data"] as? [Any])?.count == 1)
      let others = try await client.get("/v1/files", key: world.bob)
      #expect((others.object["data"] as? [Any])?.isEmpty == true)
      #expect(try await client.send(.delete, "/v1/files/\(id)", key: world.bob).status == 404)
      #expect(try await client.send(.delete, "/v1/files/\(id)", key: world.alice).status == 200)
      #expect(try await client.get("/v1/files/\(id)", key: world.alice).status == 404)
    }
    let folder = world.home.home.root.appending(path: "files")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
        .isEmpty)
  }

  @Test func whatIsNoFileLeavesNothing() async throws {
    let world = try await World()
    try await world.server.test { client in
      let twice = "--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nfine-tune\r\n"
      let other = "--b\r\nContent-Disposition: form-data; name=\"expires\"\r\n\r\n1\r\n"
      let forms: [([UInt8], String)] = [
        (Self.form("no"), "line 1"), (Self.form("{", purpose: nil), "purpose: it is missing"),
        (Self.form("{", purpose: "assistants"), "fine-tune, batch was expected"),
        (Self.form("{", more: twice), "twice"), (Self.form("{", more: other), "expires"),
        (Array(Self.form("{").dropLast(6)), "ends before the last boundary"),
        (Array("--b--".utf8), "file: it is missing"), ([], "ends before"),
      ]
      for (form, words) in forms {
        let answer = try await client.send(
          .post, "/v1/files", form, Self.fields, key: world.alice)
        #expect(answer.status == 400 && answer.text.contains(words), "\(answer.text)")
      }
      let json = try await client.post("/v1/files", "{}", key: world.alice)
      #expect(json.status == 400 && json.text.contains("curl -F"), "\(json.text)")
    }
    let folder = world.home.home.root.appending(path: "files")
    #expect(
      try FileManager.default.contentsOfDirectory(atPath: folder.path(percentEncoded: false))
        .isEmpty)
  }

  @Test func aFileHasABound() async throws {
    let home = try TinyHome()
    let key = try await home.registry.createTenant("alice")
    var limits = ServerLimits()
    limits.uploadBytes = 100
    let server = try await TinyServer(limits: limits, home: home)
    try await server.test { client in
      for (count, status) in [(100, 200), (101, 413), (200_000, 413)] {
        let text = "{" + String(repeating: "x", count: count - 1)
        let answer = try await client.send(
          .post, "/v1/files", Self.form(text), Self.fields, key: key)
        #expect(answer.status == status, "\(count): \(answer.text)")
      }
    }
  }

  @Test func aTrainingIsAskedForToldAndChanged() async throws {
    let world = try await World()
    try await world.server.test { client in
      let file = try await upload(client, "{\"a\": 1}", key: world.alice)
      let path = "/v1/fine_tuning/jobs"
      let made = try await client.post(
        path,
        """
        {"model": "mood", "training_file": "\(file)", "seed": 9, "metadata": {"Mine": "é"},
         "hyperparameters": {"n_epochs": 4, "batch_size": "auto"}, "integrations": []}
        """, key: world.alice)
      #expect(made.status == 200, "\(made.text)")
      let id = try #require(made.object["id"] as? String)
      #expect(made.object["status"] as? String == "queued")
      #expect(made.object["fine_tuned_model"] is NSNull && made.object["error"] is NSNull)
      #expect(made.object["seed"] as? Int == 9 && made.object["vbert"] as? String == "mood")
      let numbers = made.object["hyperparameters"] as? [String: Any]
      #expect(numbers?["n_epochs"] as? Int == 4 && numbers?["batch_size"] as? String == "auto")
      #expect(made.object["metadata"] as? [String: String] == ["Mine": "é"])
      for (key, status) in [(world.bob, 404), (world.ops, 200), (world.ask, 403)] {
        for more in ["", "/events", "/checkpoints"] {
          #expect(try await client.get("\(path)/\(id)\(more)", key: key).status == status)
        }
      }
      #expect(try await client.send(.delete, "/v1/files/\(file)", key: world.alice).status == 409)
      let paused = try await client.post("\(path)/\(id)/pause", "", key: world.alice)
      #expect(paused.object["status"] as? String == "paused")
      #expect(try await client.post("\(path)/\(id)/resume", "", key: world.bob).status == 404)
      let over = try await client.post("\(path)/\(id)/cancel", "", key: world.alice)
      #expect(over.object["status"] as? String == "cancelled")
      #expect(try await client.post("\(path)/\(id)/cancel", "", key: world.alice).status == 409)
      let events = try await client.get("\(path)/\(id)/events?limit=2", key: world.alice)
      let told = (events.object["data"] as? [[String: Any]])?.compactMap {
        $0["message"] as? String
      }
      #expect(told == ["asked to cancel", "asked to pause"])
      #expect(events.object["has_more"] as? Bool == true)
      // A stream of what is over ends at once.
      let stream = try await client.get("\(path)/\(id)/events?stream=true", key: world.alice)
      let lines = stream.text.split(separator: "\n\n")
      #expect(lines.count == 4 && lines.last == "data: [DONE]", "\(stream.text)")
      #expect(
        (try await client.get(path, key: world.bob).object["data"] as? [Any])?.isEmpty == true)
    }
  }

  @Test func whatCannotBeTrainedIsRefused() async throws {
    let world = try await World()
    try await world.server.test { client in
      let file = try await upload(client, "{\"a\": 1}", key: world.alice)
      let bobs = try await upload(client, "{\"a\": 1}", key: world.bob)
      let bodies: [(String, Int, String)] = [
        (#"{"model": "mood"}"#, 400, "training_file"),
        (#"{"model": "mood", "training_file": "file-x"}"#, 400, "no file"),
        (#"{"model": "mood", "training_file": "\#(bobs)"}"#, 400, "no file"),
        (#"{"model": "nothing", "training_file": "\#(file)"}"#, 400, "neither a vBERT nor a base"),
        (#"{"model": "mood@1", "training_file": "\#(file)"}"#, 400, "roll back"),
        (
          #"{"model": "mood", "training_file": "\#(file)", "epochs": 3}"#, 400,
          "epochs is no member"
        ),
        (
          #"{"model": "mood", "training_file": "\#(file)", "hyperparameters": {"epochs": 3}}"#, 400,
          "hyperparameters.epochs"
        ),
        (
          #"{"model": "mood", "training_file": "\#(file)", "hyperparameters": {"n_epochs": 1.5}}"#,
          400, "whole number"
        ),
        (
          #"{"model": "mood", "training_file": "\#(file)", "hyperparameters": {"n_epochs": 0}}"#,
          400,
          "1 to 1000"
        ),
        (
          #"{"model": "mood", "training_file": "\#(file)", "method": {"type": "dpo"}}"#, 400,
          "method.type"
        ),
        (
          #"{"model": "mood", "training_file": "\#(file)", "method": {"type": "vbert", "vbert": {"task": "tag"}}}"#,
          400, "method.vbert.task"
        ),
        (
          #"{"model": "mood", "training_file": "\#(file)", "integrations": ["wandb"]}"#, 400,
          "integrations"
        ),
        (#"{"model": "mood", "training_file": "\#(file)", "tenant": "bob"}"#, 404, "no tenant"),
        (#"{"model": "mood", "training_file": "\#(file)", "suffix": "a b"}"#, 400, "name"),
      ]
      for (body, status, words) in bodies {
        let answer = try await client.post("/v1/fine_tuning/jobs", body, key: world.alice)
        #expect(
          answer.status == status && answer.text.contains(words), "\(body): \(answer.text)")
      }
    }
  }
}
