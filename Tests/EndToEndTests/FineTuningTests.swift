import Foundation
import Glibc
import Testing

/// Files and fine-tunings over HTTP, trained beside the server by a process of its own.
@Suite(.serialized) struct FineTuningTests {
  private let world: TinyWorld
  private let key: String

  init() throws {
    world = try TinyWorld()
    let output = try world.vbert.run(["tenant", "create", "acme"])
    key = output.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  private var vbert: VbertProcess { world.vbert }

  private func jsonl(_ rows: [[String: Any]]) throws -> Data {
    try rows.reduce(into: Data()) { all, row in
      all += try JSONSerialization.data(withJSONObject: row) + Data("\n".utf8)
    }
  }

  private func members(_ reply: Server.Reply) throws -> [String: Any] {
    try #require(try reply.json as? [String: Any], "\(String(decoding: reply.body, as: UTF8.self))")
  }

  private func file(_ rows: [[String: Any]], _ server: Server) async throws -> String {
    let reply = try await server.upload(try jsonl(rows), key: key)
    #expect(reply.status == 200, "\(String(decoding: reply.body, as: UTF8.self))")
    return try #require(try members(reply)["id"] as? String)
  }

  /// The job once it is in one of these states.
  private func job(_ id: String, _ server: Server, until states: [String]) async throws
    -> [String: Any]
  {
    for _ in 0..<1200 {
      let found = try members(await server.get("/v1/fine_tuning/jobs/\(id)", key: key))
      if let state = found["status"] as? String, states.contains(state) { return found }
      try await Task.sleep(for: .milliseconds(100))
    }
    Issue.record("\(id) has not become \(states): \(try server.said)")
    return [:]
  }

  /// From a file to answers, for a new vBERT and once more for the same; the events say how.
  @Test func fromAFileToAnswers() async throws {
    defer { vbert.removeHome() }
    let server = try await Server(vbert)
    let rows = TinyData.classify.map { row -> [String: Any] in
      [
        "messages": [
          ["role": "system", "content": "Say what it is about."],
          ["role": "user", "content": row["text"] ?? ""],
          ["role": "assistant", "content": row["label"] ?? ""],
        ]
      ]
    }
    let id = try await file(rows, server)
    let made = try members(
      await server.post(
        "/v1/fine_tuning/jobs",
        [
          "model": "tiny-skip2", "training_file": id, "suffix": "mood", "seed": 7,
          "metadata": ["Who asked": "me"], "hyperparameters": ["n_epochs": "auto"],
        ], key: key))
    let first = try #require(made["id"] as? String, "\(made)")
    #expect(made["object"] as? String == "fine_tuning.job")
    #expect(made["metadata"] as? [String: String] == ["Who asked": "me"])
    let done = try await job(first, server, until: ["succeeded", "failed"])
    #expect(done["status"] as? String == "succeeded", "\(done)")
    #expect(done["fine_tuned_model"] as? String == "mood" && done["version"] as? Int == 1)
    let answer = try await server.post(
      "/predict", ["model": "mood", "inputs": "the cold bird sings"], key: key)
    let labels = try answer.json as? [[String: Any]]
    #expect(labels?.first?["label"] as? String == "heat")

    // By epochs, from the version that answers; heard as it goes.
    let second = try members(
      await server.post(
        "/v1/fine_tuning/jobs",
        [
          "model": "mood", "training_file": id, "validation_file": id,
          "hyperparameters": ["n_epochs": 3, "batch_size": 8],
        ], key: key))
    let number = try #require(second["id"] as? String, "\(second)")
    let stream = try await server.get(
      "/v1/fine_tuning/jobs/\(number)/events?stream=true", key: key)
    let lines = String(decoding: stream.body, as: UTF8.self).split(separator: "\n")
    #expect(stream.headers["content-type"] == "text/event-stream")
    #expect(lines.count { $0.contains("\"epoch ") } == 3, "\(lines)")
    #expect(lines.last == "data: [DONE]")
    #expect(lines.contains { $0.contains("version 2 answers from now on") })
    let again = try await job(number, server, until: ["succeeded", "failed"])
    #expect(again["version"] as? Int == 2 && again["trained_tokens"] as? Int ?? 0 > 0, "\(again)")

    let usage = try members(await server.get("/v1/usage", key: key))
    let day = (usage["data"] as? [[String: Any]])?.first
    #expect(day?["training_rows"] as? Int ?? 0 >= 3 * TinyData.classify.count, "\(usage)")
    #expect(server.stop() == 0)
  }

  /// What was asked for while a server ran is done after kill -9, once: one version, whole.
  @Test func aKilledServersTrainingBeginsAgain() async throws {
    defer { vbert.removeHome() }
    var server = try await Server(vbert)
    let rows = (0..<40).flatMap { _ in TinyData.classify }
    let id = try await file(rows, server)
    let made = try members(
      await server.post(
        "/v1/fine_tuning/jobs",
        [
          "model": "tiny-skip2", "training_file": id, "suffix": "slow",
          "hyperparameters": ["n_epochs": 60, "batch_size": 8],
        ], key: key))
    let number = try #require(made["id"] as? String, "\(made)")
    _ = try await job(number, server, until: ["running", "succeeded", "failed"])
    kill(server.process.processIdentifier, SIGKILL)
    server.process.waitUntilExit()
    server = try await Server(vbert)
    let done = try await job(number, server, until: ["succeeded", "failed"])
    #expect(done["status"] as? String == "succeeded", "\(done)")
    let events = try members(
      await server.get("/v1/fine_tuning/jobs/\(number)/events?limit=1000", key: key))
    let said = (events["data"] as? [[String: Any]])?.compactMap { $0["message"] as? String } ?? []
    #expect(said.contains { $0.contains("begins again") }, "\(said)")
    let versions = try members(await server.get("/v1/vberts/slow", key: key))
    #expect((versions["versions"] as? [Any])?.count == 1)

    // Paused and resumed, then cancelled: nothing is published.
    let other = try members(
      await server.post(
        "/v1/fine_tuning/jobs",
        [
          "model": "slow", "training_file": id,
          "hyperparameters": ["n_epochs": 500, "batch_size": 8],
          "method": ["type": "vbert", "vbert": ["patience": 0]],
        ], key: key))
    let long = try #require(other["id"] as? String, "\(other)")
    _ = try await job(long, server, until: ["running"])
    _ = try await server.post("/v1/fine_tuning/jobs/\(long)/pause", [:], key: key)
    _ = try await job(long, server, until: ["paused"])
    _ = try await server.post("/v1/fine_tuning/jobs/\(long)/resume", [:], key: key)
    _ = try await job(long, server, until: ["running"])
    _ = try await server.post("/v1/fine_tuning/jobs/\(long)/cancel", [:], key: key)
    let ended = try await job(long, server, until: ["cancelled", "succeeded", "failed"])
    #expect(ended["status"] as? String == "cancelled")
    #expect(try world.version(of: "acme/slow") == 1)
    let late = try await server.post("/v1/fine_tuning/jobs/\(long)/cancel", [:], key: key)
    #expect(late.status == 409)
  }
}
