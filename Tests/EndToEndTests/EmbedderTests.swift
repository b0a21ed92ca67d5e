import Foundation
import Testing

/// Embedders that learn, on the command line and behind a server.
@Suite struct EmbedderTests {
  /// Animals that do the same are near.
  private static var pairs: [[String: Any]] {
    ["cat", "dog", "bird"].flatMap { animal in
      ["runs", "sleeps", "sings"].map {
        ["text": "the red \(animal) \($0)", "text_pair": "a cold \(animal) \($0) fast"]
      }
    }
  }
  private static var triplets: [[String: Any]] {
    ["cat", "dog", "bird"].map {
      [
        "anchor": "the \($0) runs", "positive": "a \($0) sleeps",
        "negative": ["the paris runs", "in oslo"],
      ]
    }
  }
  private static var labelled: [[String: Any]] {
    ["cat", "dog", "bird"].flatMap { animal in
      ["red", "blue"].map { ["text": "the \($0) \(animal)", "label": animal] }
    }
  }
  private static var scored: [[String: Any]] {
    pairs.enumerated().map { number, pair in
      pair.merging(["score": number % 5]) { $1 }
    }
  }

  private func object(_ json: String) throws -> [String: Any] {
    try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
  }

  private func embedding(_ vbert: VbertProcess, _ name: String, _ more: String...) throws
    -> [Double]
  {
    let output = try vbert.run(["predict", name, "the red cat", "--json"] + more)
    return try #require(try object(output.stdout)["embedding"] as? [Double])
  }

  /// From create to the server: untrained it answers nothing, trained something else than its base; a
  /// version may be asked, taken back, exported and brought in again.
  @Test func learnsAndAnswers() async throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    let data = try TinyData.write(Self.pairs, "near", in: vbert.home)
    try vbert.succeed("create", "plain", "--task", "embed", "--base", "tiny-skip2")
    let made = try vbert.succeed(
      "create", "near", "--task", "embed", "--base", "tiny-skip2", "--adapter", "lora:4@all")
    #expect(made.contains("train it with: vbert train near"))
    #expect(try vbert.run(["predict", "near", "a cat"]).status == 1)
    let refused = try vbert.run(["train", "plain", "--data", data])
    #expect(refused.status == 1 && refused.stderr.contains("--task embed --adapter lora:32@all"))

    func train(_ data: String, _ more: String...) throws -> [String: Any] {
      let output = try vbert.run(
        ["train", "near", "--data", data, "--dev", data, "--epochs", "4", "--lr", "0.01", "--json"]
          + more)
      guard output.status == 0 else { throw VbertProcess.Failure(description: output.stderr) }
      return try object(output.stdout)
    }
    let first = try train(data, "--dimensions", "8,4")
    #expect((first["metrics"] as? [String: Double])?["dev_recall_at_1"] != nil)
    let untrained = try embedding(vbert, "plain")
    let trained = try embedding(vbert, "near")
    #expect(trained.count == untrained.count && trained != untrained)

    for (name, rows, metric) in [
      ("triplets", Self.triplets, "accuracy"), ("labels", Self.labelled, "recall_at_10"),
      ("scores", Self.scored, "pearson"),
    ] {
      let path = try TinyData.write(rows, name, in: vbert.home)
      let report = try train(path)
      #expect((report["metrics"] as? [String: Double])?["dev_\(metric)"] != nil, "\(name)")
      for model in ["near", "plain"] {
        let measured = try object(try vbert.succeed("eval", model, "--data", path, "--json"))
        #expect((measured["metrics"] as? [String: Double])?[metric] != nil, "\(name)")
      }
    }
    let mixed = try TinyData.write(Self.pairs + Self.labelled, "mixed", in: vbert.home)
    let wrong = try vbert.run(["train", "near", "--data", mixed])
    #expect(wrong.status == 1 && wrong.stderr.contains("another kind of row than line 1"))

    try vbert.succeed("rollback", "near", "--to", "1")
    #expect(try embedding(vbert, "near") == trained)
    let directory = vbert.home.appending(path: "exported").path()
    try vbert.succeed("export", "near", directory)
    try vbert.succeed("import", directory, "--name", "again")
    #expect(try embedding(vbert, "again") == trained)

    let server = try await Server(vbert)
    func served(_ name: String, _ size: Int?) async throws -> Server.Reply {
      var body: [String: Any] = ["model": name, "input": "the red cat"]
      body["dimensions"] = size
      return try await server.post("/v1/embeddings", body)
    }
    let reply = try #require(try await served("near", nil).json as? [String: Any])
    let vector = try #require(
      ((reply["data"] as? [[String: Any]])?.first)?["embedding"] as? [Double])
    #expect(zip(vector, trained).allSatisfy { abs($0 - $1) < 1e-3 })
    // Sizes that it was trained for, and no others; one without any choice has all.
    #expect(try await served("near", 4).status == 200)
    let other = try await served("near", 5)
    #expect(other.status == 400)
    #expect(String(decoding: other.body, as: UTF8.self).contains("was trained for"))
    #expect(try await served("plain", 5).status == 200)
    let model = try #require(try await server.get("/v1/models/near").json as? [String: Any])
    #expect((model["dimensions"] as? [Int])?.suffix(2) == [8, 4])
  }
}
