import Foundation
import Glibc
import Testing

/// kill -9 at moments that nobody chose: what was published before still answers, half of nothing.
@Suite("kill -9", .serialized)
struct CrashTests {
  /// Starts training, kills it after `delay`, and says whether it was still running.
  private func trainAndKill(_ vbert: VbertProcess, _ name: String, after delay: Duration)
    async throws -> Bool
  {
    let data = vbert.home.appending(path: "\(name).jsonl").path()
    let (process, _, _) = try vbert.process(
      ["train", name, "--data", data, "--dev", data, "--epochs", "3", "--lr", "0.01"])
    try process.run()
    let end = ContinuousClock.now + delay
    while process.isRunning, .now < end { try await Task.sleep(for: .milliseconds(5)) }
    let wasRunning = process.isRunning
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    return wasRunning
  }

  @Test func duringTrainingAndPublishing() async throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    try world.train("topic", task: "classify", rows: TinyData.classify)
    let text = "the blue cat sleeps"
    var answers = [1: try vbert.succeed("predict", "topic", text, "--json")]
    var version = try #require(try world.version(of: "topic"))
    #expect(version == 1)

    // How long a whole run takes here, so that the kills fall all over it, its end above all.
    let clock = ContinuousClock()
    var whole = try await clock.measure {
      _ = try await trainAndKill(vbert, "topic", after: .seconds(0))
      try vbert.succeed(
        "train", "topic", "--data", vbert.home.appending(path: "topic.jsonl").path(),
        "--epochs", "3")
    }
    version = try #require(try world.version(of: "topic"))
    answers[version] = try vbert.succeed("predict", "topic", text, "--json")

    var killed = 0
    for round in 0..<12 {
      let share = 0.3 + 0.8 * Double(round) / 12
      let start = clock.now
      if try await trainAndKill(vbert, "topic", after: whole * share) {
        killed += 1
      } else {
        // The machine was busier when the whole was measured: sooner, until one is caught.
        whole = min(whole, clock.now - start) * 0.7
      }
      let now = try #require(try world.version(of: "topic"))
      #expect(now == version || now == version + 1)
      let answer = try vbert.succeed("predict", "topic", text, "--json")
      if let known = answers[now] { #expect(answer == known) }
      answers[now] = answer
      version = now
    }
    #expect(killed > 0)
    try vbert.succeed("train", "topic", "--data", vbert.home.appending(path: "topic.jsonl").path())
    #expect(try world.version(of: "topic") == version + 1)
  }

  @Test func serverAnswersAfterwardsAsBefore() async throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    try world.train("topic", task: "classify", rows: TinyData.classify)
    let body: [String: Any] = ["adapter_id": "topic", "inputs": "the blue cat sleeps"]
    let first = try await Server(vbert)
    let before = try await first.post("/predict", body)
    kill(first.process.processIdentifier, SIGKILL)
    first.process.waitUntilExit()
    let second = try await Server(vbert)
    let after = try await second.post("/predict", body)
    #expect(MainJobTests.differ(try before.json, try after.json) < 1e-6)

    // A version published while the server runs is the one that answers next.
    try world.vbert.succeed(
      "train", "topic", "--data", vbert.home.appending(path: "topic.jsonl").path(), "--seed", "9")
    #expect(try world.version(of: "topic") == 2)
    try await Task.sleep(for: .seconds(2))
    let switched = try await second.post("/predict", body)
    #expect(switched.status == 200)
    #expect(MainJobTests.differ(try before.json, try switched.json) > 1e-6)
    #expect(second.stop() == 0)
  }
}
