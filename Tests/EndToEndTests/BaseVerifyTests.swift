import Foundation
import Testing

/// Damaged bases, from the command line and behind a server.
@Suite struct BaseVerifyTests {
  private func flip(_ file: URL, _ place: Int = -1) throws {
    var bytes = [UInt8](try Data(contentsOf: file))
    bytes[place < 0 ? bytes.count + place : place] ^= 0x40
    try Data(bytes).write(to: file)
  }

  private func rows(_ json: String) throws -> [[String: Any]] {
    try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
  }

  @Test func theCommandLineRefusesADamagedBase() throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    try vbert.succeed(
      "create", "meaning", "--task", "embed", "--base", "tiny-skip2", "--adapter", "none")
    let good = try rows(try vbert.succeed("base", "verify", "--json"))
    #expect(good.map { $0["name"] as? String } == ["tiny", "tiny-skip2"])
    #expect(good.allSatisfy { $0["good"] as? Bool == true && $0["bytes"] as? Int ?? 0 > 100_000 })
    #expect(try vbert.succeed("base", "verify", "tiny").contains(" ok "))
    #expect(try vbert.run(["base", "verify", "nobody"]).status == 1)

    let folder = vbert.home.appending(path: "bases/tiny-skip2")
    let weights = folder.appending(path: "model.safetensors")
    let before = try vbert.succeed("predict", "meaning", "the red cat runs")
    try flip(weights)
    let corpus = vbert.home.appending(path: "corpus.txt").path()
    let texts = vbert.home.appending(path: "texts.jsonl")
    try Data("{\"text\":\"the red cat runs\",\"label\":\"a\"}\n".utf8).write(to: texts)
    let out = vbert.home.appending(path: "out").path()
    for command in [
      ["predict", "meaning", "the red cat runs"],
      ["plot", "build", "--base", "tiny-skip2", "--corpus", corpus],
      ["plot", "verify", "--base", "tiny-skip2"],
      ["dump", "--base", "tiny-skip2", "--data", texts.path(), "--out", out],
      [
        "distill", "--base", "tiny", "--from", "tiny-skip2", "--corpus", corpus, "--tokens", "100",
        "--name", "new",
      ],
    ] {
      let output = try vbert.run(command)
      #expect(output.status == 1, "\(command)")
      #expect(
        output.stderr.contains(
          "tiny-skip2 is damaged: model.safetensors (has other bytes)"), "\(output.stderr)")
      #expect(output.stdout.isEmpty)
    }
    let verified = try vbert.run(["base", "verify"])
    #expect(verified.status == 1 && verified.stderr.contains("tiny-skip2"))
    #expect(verified.stdout.contains("damaged") && verified.stdout.contains("model.safetensors"))
    let damaged = try vbert.run(["base", "verify", "--json"])
    #expect(damaged.status == 1)
    #expect(try rows(damaged.stdout).map { $0["good"] as? Bool } == [true, false])
    // What reads no weights goes on.
    for command in [
      ["list"], ["base", "list"], ["plot", "stats", "--base", "tiny-skip2"],
      ["tokenize", "--base", "tiny-skip2", "--data", texts.path()],
    ] {
      #expect(try vbert.run(command).status == 0, "\(command)")
    }

    // Made again under its name, it answers as before, its table in place.
    try vbert.succeed("base", "skip", "--base", "tiny", "--skip", "2", "--name", "tiny-skip2")
    #expect(try vbert.succeed("predict", "meaning", "the red cat runs") == before)
    #expect(try vbert.succeed("plot", "verify", "--base", "tiny-skip2").contains(": good"))
    try flip(folder.appending(path: "base.json"), 0)
    #expect(try vbert.succeed("base", "list").contains("DAMAGED"))
    let listed = try rows(try vbert.succeed("base", "list", "--json"))
    #expect((listed.last?["error"] as? String)?.contains("base.json") == true)
    #expect(try vbert.run(["predict", "meaning", "a"]).status == 1)
    #expect(try vbert.run(["base", "remove", "tiny-skip2"]).stderr.contains("meaning"))
    try vbert.succeed("delete", "meaning")
    try vbert.succeed("base", "remove", "tiny-skip2")
  }

  @Test func aServerAnswersForSoundBasesOnly() async throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    for (name, base) in [("good", "tiny"), ("bad", "tiny-skip2")] {
      try vbert.succeed(
        "create", name, "--task", "embed", "--base", base, "--adapter", "none")
    }
    let weights = vbert.home.appending(path: "bases/tiny-skip2/model.safetensors")
    let sound = vbert.home.appending(path: "bases/tiny/model.safetensors")
    try flip(weights)
    let server = try await Server(vbert)
    let said = try server.said
    #expect(said.contains("base tiny: verified 0."))
    #expect(said.contains("tiny-skip2 is damaged: model.safetensors (has other bytes)"))
    let refused = try await server.post("/embed", ["model": "bad", "inputs": "a cat"])
    #expect(refused.status == 424)
    #expect(String(decoding: refused.body, as: UTF8.self).contains("damaged"))
    let asked: [String: Any] = ["model": "good", "inputs": "a cat"]
    let answer = try await server.post("/embed", asked)
    #expect(answer.status == 200)
    // Made again beside the running server, it is taken at the next try.
    try vbert.succeed("base", "skip", "--base", "tiny", "--skip", "2", "--name", "tiny-skip2")
    var again = refused
    for _ in 0..<300 where again.status == 424 {
      try await Task.sleep(for: .milliseconds(100))
      again = try await server.post("/embed", ["model": "bad", "inputs": "a cat"])
    }
    #expect(again.status == 200)
    // The weights are in memory of the server's own: what happens to the file now changes no answer.
    try flip(sound)
    #expect(try await server.post("/embed", asked).body == answer.body)
    #expect(server.stop() == 0)
    // A server that is told to serve a damaged base does not start.
    let output = try vbert.run(["serve", "--port", "0", "--base", "tiny"])
    #expect(output.status == 1 && output.stderr.contains("tiny is damaged"))
  }
}
