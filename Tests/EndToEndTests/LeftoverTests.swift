import Foundation
import Glibc
import Testing

/// What killed programs leave in a home is gone when the server has started.
@Suite struct LeftoverTests {
  @Test func aStartClearsAway() async throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    let rows = Array(repeating: TinyData.classify, count: 200).flatMap(\.self)
    let data = try TinyData.write(rows, "topic", in: vbert.home)
    try vbert.succeed("create", "topic", "--task", "classify", "--base", "tiny-skip2")
    let (training, _, said) = try vbert.process(
      ["train", "topic", "--data", data, "--dev", data, "--epochs", "1000", "--patience", "0"])
    try training.run()
    func names(_ folder: String, _ prefix: String) -> [String] {
      let path = vbert.home.appending(path: folder).path(percentEncoded: false)
      let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
      return names.filter { $0.hasPrefix(prefix) }
    }
    for _ in 0..<600 where names("locks", "job-").isEmpty {
      try await Task.sleep(for: .milliseconds(50))
    }
    let words = try String(contentsOf: said, encoding: .utf8)
    #expect(names("locks", "job-").count == 1, "\(words)")
    kill(training.processIdentifier, SIGKILL)
    training.waitUntilExit()
    // As an import leaves it that is killed in the middle.
    let staging = vbert.home.appending(path: "bases/.staging-1")
    try FileManager.default.createDirectory(at: staging, withIntermediateDirectories: true)
    try Data([1]).write(to: staging.appending(path: "model.safetensors"))

    let server = try await Server(vbert)
    for _ in 0..<200
    where !names("locks", "job-").isEmpty || !names("bases", ".staging").isEmpty {
      try await Task.sleep(for: .milliseconds(50))
    }
    #expect(names("locks", "job-").isEmpty && names("bases", ".staging").isEmpty)
    #expect(server.stop() == 0)
  }
}
