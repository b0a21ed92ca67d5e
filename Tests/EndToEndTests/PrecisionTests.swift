import Foundation
import Testing

/// `--precision auto` says what it chose, and does it.
@Suite struct PrecisionTests {
  @Test func autoIsWhatItSays() throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    let data = vbert.home.appending(path: "texts.jsonl")
    try Data(#"{"text": "the red dog runs in rome"}"#.utf8).write(to: data)
    func states(_ precision: String) throws -> (bytes: Data, stderr: String) {
      let out = vbert.home.appending(path: "\(precision).safetensors")
      let done = try vbert.run([
        "dump", "--base", "tiny", "--data", data.path(), "--precision", precision, "--out",
        out.path(),
      ])
      #expect(done.status == 0, "\(done.stderr)")
      return (try Data(contentsOf: out), done.stderr)
    }
    let auto = try states("auto")
    let line = try #require(auto.stderr.split(separator: "\n").first { $0.contains("auto: ") })
    let words = try #require(line.split(separator: ": ").dropFirst().first).split(separator: " ")
    let chosen = String(try #require(words.first))
    let all = try ["fp32", "bf16", "int8"].map { ($0, try states($0).bytes) }
    #expect(all.first { $0.0 == chosen }?.1 == auto.bytes, "\(line)")
    // Each of them is another way to compute.
    #expect(Set(all.map(\.1)).count == 3)
  }

  /// Also where no table says how rows are rounded.
  @Test func theCommandLineAnswersWithTheServersNumbers() async throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    try vbert.succeed("create", "meaning", "--task", "embed", "--base", "tiny-skip2")
    let table = vbert.home.appending(path: "bases/tiny-skip2/plot/general.plot")
    for hasTable in [true, false] {
      if !hasTable { try FileManager.default.removeItem(at: table) }
      let server = try await Server(vbert, ["--precision", "fp32"])
      for text in ["the red dog runs in rome", "cold cat", "."] {
        let json = try vbert.succeed("predict", "meaning", text, "--json", "--precision", "fp32")
        let said = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
        let answer = try await server.post("/embed", ["model": "meaning", "inputs": text])
        let vectors = try #require(try answer.json as? [[Double]])
        #expect(vectors == [said?["embedding"] as? [Double] ?? []], "\(hasTable) \(text)")
      }
      #expect(server.stop() == 0)
    }
  }

  /// In training it goes by the processor alone: the same seed gives the same result on a busy machine.
  @Test func trainingSaysItToo() throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    try world.train("topic", task: "classify", rows: TinyData.classify)
    let data = vbert.home.appending(path: "topic.jsonl").path()
    func again(_ precision: String) throws -> (loss: String, stderr: String) {
      let done = try vbert.run([
        "train", "topic", "--data", data, "--epochs", "1", "--precision", precision, "--json",
      ])
      #expect(done.status == 0, "\(done.stderr)")
      let report = try JSONSerialization.jsonObject(with: Data(done.stdout.utf8))
      return ("\((report as? [String: Any])?["loss"] ?? "none")", done.stderr)
    }
    let auto = try again("auto")
    let chosen = auto.stderr.contains("auto: bf16") ? "bf16" : "fp32"
    #expect(auto.stderr.contains("auto: \(chosen), since this processor"))
    #expect(try again(chosen).loss == auto.loss)
    #expect(try again("fp32").loss != again("bf16").loss)
    let refused = try vbert.run(["train", "topic", "--data", data, "--precision", "int8"])
    #expect(refused.status == 2)
  }
}
