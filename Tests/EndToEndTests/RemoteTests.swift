import Foundation
import Testing

/// The command line on a running server: the same words, without the home.
@Suite(.serialized) struct RemoteTests {
  private func line(_ vbert: VbertProcess, _ arguments: [String]) throws -> String {
    let output = try vbert.run(arguments)
    #expect(output.status == 0, "\(arguments): \(output.stderr)")
    return output.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  @Test func theSameOnAServer() async throws {
    let world = try TinyWorld()
    defer { world.vbert.removeHome() }
    let key = try line(world.vbert, ["tenant", "create", "acme"])
    let server = try await Server(world.vbert)
    // Who asks has nothing of the home.
    let far = try VbertProcess(isAtHome: false)
    defer { far.removeHome() }
    let there = ["--server", server.url, "--key", key]
    let data = try TinyData.write(TinyData.classify, "rows", in: far.home)

    #expect(
      try line(far, ["create", "mood", "--task", "classify", "--base", "tiny-skip2"] + there)
        .hasPrefix("mood: classify on base tiny-skip2"))
    let trained = try far.run(["train", "mood", "--data", data, "--json"] + there)
    #expect(trained.status == 0, "\(trained.stderr)")
    #expect(trained.stderr.contains("asked for on the server"))
    #expect(trained.stderr.contains("version 1 answers from now on"))
    let report = try JSONSerialization.jsonObject(with: Data(trained.stdout.utf8))
    #expect((report as? [String: Any])?["version"] as? Int == 1)
    #expect(try line(far, ["predict", "mood", "a cold dog runs"] + there).hasPrefix("heat  "))
    _ = try line(
      far, ["train", "mood", "--data", data, "--dev", data, "--epochs", "2"] + there)
    #expect(try line(far, ["versions", "mood"] + there).contains("* "))
    #expect(try line(far, ["rollback", "mood"] + there) == "mood answers with version 1 now")
    let own = try line(world.vbert, ["predict", "acme/mood", "--data", data, "--json"])
    let told = try line(far, ["predict", "mood", "--data", data, "--json"] + there)
    func labels(_ text: String) throws -> [String?] {
      try text.split(separator: "\n").map {
        let row = try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
        return row?["label"] as? String
      }
    }
    #expect(try labels(own) == labels(told) && labels(told).count == TinyData.classify.count)
    let list = try line(far, ["list"] + there)
    #expect(list.contains("mood") && list.contains("acme"))
    // What was brought to learn from is gone when it is learnt.
    let files = try await server.get("/v1/files", key: key)
    #expect(((try files.json as? [String: Any])?["data"] as? [Any])?.isEmpty == true)
    let place = far.home.appending(path: "exported").path(percentEncoded: false)
    #expect(try line(far, ["export", "mood", place] + there) == "mood version 1 is in \(place)")
    #expect(try line(far, ["import", place, "--name", "twin"] + there).hasPrefix("twin: classify"))
    #expect(
      try line(far, ["import", place, "--into", "twin"] + there)
        == "twin answers with version 2 now")
    let both = try ["mood", "twin"].map {
      try line(far, ["predict", $0, "--data", data, "--json"] + there)
    }
    #expect(both[0] == both[1])
    _ = try line(far, ["delete", "mood"] + there)

    for (arguments, status, words) in [
      (["versions", "mood"] + there, 1, "there is no vBERT named mood"),
      (["list", "--server", server.url], 1, "VBERT_KEY"),
      (["list", "--server", "https://example.com"], 1, "only http"),
      (["list", "--server", "http://127.0.0.1:1"], 1, "cannot be reached"),
      (["train", "mood", "--data", data, "--threads", "2"] + there, 2, "--threads means nothing"),
      (["base", "list"] + there, 2, "works on a home"),
      (["list", "--key", key], 2, "--key goes with --server"),
      (["train", "mood", "--data", "/nowhere"] + there, 1, "/nowhere"),
    ] {
      let output = try far.run(arguments)
      #expect(
        output.status == status && output.stderr.contains(words), "\(arguments): \(output.stderr)")
    }
  }
}
