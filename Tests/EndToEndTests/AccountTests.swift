import Foundation
import Testing

/// Tenants, keys and names, as the command line and a running server see them together.
@Suite struct AccountTests {
  private func line(_ vbert: VbertProcess, _ arguments: String...) throws -> String {
    let output = try vbert.run(arguments)
    #expect(output.status == 0, "\(arguments): \(output.stderr)")
    return output.stdout.trimmingCharacters(in: .whitespacesAndNewlines)
  }

  @Test func aNameIsItsTenantsEverywhere() async throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    let alice = try line(vbert, "tenant", "create", "alice")
    let bob = try line(vbert, "tenant", "create", "bob")
    let operators = try line(vbert, "tenant", "key", "add", "default", "ops", "--scope", "admin")
    let data = try TinyData.write(TinyData.classify, "rows", in: vbert.home)
    let server = try await Server(vbert)

    // Made over HTTP, trained on the command line, asked over HTTP.
    for key in [alice, bob] {
      let made = try await server.post(
        "/v1/vberts", ["name": "mood", "task": "classify", "base": "tiny-skip2"], key: key)
      #expect(made.status == 200)
    }
    let taken = try await server.post(
      "/v1/vberts", ["name": "mood", "task": "embed", "base": "tiny-skip2"], key: bob)
    #expect(taken.status == 409)
    let alone = try vbert.run(["train", "mood", "--data", data])
    #expect(alone.status == 1 && alone.stderr.contains("but alice/mood, bob/mood"))
    try vbert.succeed("train", "alice/mood", "--data", data, "--effort", "quick")
    let ask: [String: Any] = ["model": "mood", "inputs": "the red cat runs"]
    #expect(try await server.post("/predict", ask, key: alice).status == 200)
    #expect(try await server.post("/predict", ask, key: bob).status == 409, "his is untrained")
    let other: [String: Any] = ["model": "alice/mood", "inputs": "the red cat runs"]
    #expect(try await server.post("/predict", other, key: bob).status == 404)
    #expect(try await server.post("/predict", other, key: operators).status == 200)
    #expect(try line(vbert, "predict", "alice/mood", "the red cat runs").isEmpty == false)

    // A list names the tenants' own, --many too.
    let list = vbert.home.appending(path: "list.jsonl")
    try Data(#"{"name": "bob/mood", "data": "\#(data)", "effort": "quick"}"#.utf8).write(to: list)
    try vbert.succeed("train", "--many", list.path())
    #expect(try await server.post("/predict", ask, key: bob).status == 200)

    // A copy of hers for him under another name, and one that is given away.
    let folder = vbert.home.appending(path: "out").path()
    try vbert.succeed("export", "alice/mood", folder)
    try vbert.succeed("import", folder, "--tenant", "bob", "--name", "hers")
    try vbert.succeed("tenant", "give", "bob/hers", "--to", "default")
    let names = try line(vbert, "list", "--json")
    for name in [#""tenant":"alice""#, #""tenant":"default""#] { #expect(names.contains(name)) }
    #expect(try await server.get("/v1/models/hers", key: bob).status == 404)
    #expect(try await server.get("/v1/models/hers", key: operators).status == 200)
    for arguments in [
      ["create", "bob/x", "--tenant", "alice", "--task", "embed"],
      ["import", folder, "--into", "mood", "--tenant", "bob"],
      ["tenant", "key", "add", "bob", "old", "--expires", "2020-01-01"],
      ["tenant", "key", "add", "bob", "old", "--scope", "everything"],
      ["tenant", "key", "rotate", "bob", "first", "--keep", "soon"],
    ] { #expect(try vbert.run(arguments).status == 2, "\(arguments)") }

    // Rotated at once: the old one is nobody's from the next request on.
    let fresh = try line(vbert, "tenant", "key", "rotate", "bob", "first", "--keep", "0s")
    #expect(try await server.post("/predict", ask, key: bob).status == 401)
    #expect(try await server.post("/predict", ask, key: fresh).status == 200)
    try vbert.succeed("tenant", "key", "revoke", "bob", "first")
    #expect(try await server.post("/predict", ask, key: fresh).status == 401)
    let keys = try line(vbert, "tenant", "key", "list")
    #expect(keys.contains("admin") && keys.contains("(expired)") && !keys.contains("vb_"))
  }

  /// A secret that nobody has seen is nobody's: said, with what to do, and not left behind.
  @Test func aKeyThatCannotBePrintedIsNotKept() throws {
    let vbert = try VbertProcess()
    defer { vbert.removeHome() }
    try vbert.succeed("tenant", "create", "acme")
    func intoNothing(_ arguments: String...) throws -> (status: Int32, said: String) {
      let (process, _, stderr) = try vbert.process(arguments)
      process.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
      try process.run()
      process.waitUntilExit()
      return (process.terminationStatus, try String(contentsOf: stderr, encoding: .utf8))
    }
    var lost = try intoNothing("tenant", "key", "add", "acme", "web")
    #expect(lost.status == 1 && lost.said.contains("revoked; try again"), "\(lost)")
    #expect(try !line(vbert, "tenant", "key", "list").contains("web"))
    lost = try intoNothing("tenant", "create", "bob", "--json")
    #expect(lost.status == 1 && lost.said.contains("tenant key rotate bob first"), "\(lost)")
    lost = try intoNothing("tenant", "key", "rotate", "acme", "first")
    #expect(lost.status == 1 && lost.said.contains("rotate once more"), "\(lost)")
    // What is no secret, neither.
    #expect(try intoNothing("tenant", "list").status == 1)
  }

  /// Who cannot name a vBERT has it named by the key, or by the address.
  @Test func aKeyAndAnAddressNameAVBERT() async throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    for name in ["find", "other"] {
      try vbert.succeed(
        "create", name, "--task", "embed", "--base", "tiny-skip2",
        "--pooling", name == "find" ? "mean" : "cls")
    }
    let plain = try line(vbert, "tenant", "key", "add", "default", "plain")
    let key = try line(vbert, "tenant", "key", "add", "default", "web", "--vbert", "find")
    let missing = try vbert.run(["tenant", "key", "add", "default", "x", "--vbert", "nothing"])
    #expect(missing.status == 1 && missing.stderr.contains("there is no vBERT named nothing"))
    let list = try line(vbert, "tenant", "key", "list", "--json")
    #expect(list.contains(#""vbert":"find""#))
    let origin = try vbert.run(["serve", "--cors-origin", "https://shop.example/path"])
    #expect(origin.status == 2 && origin.stderr.contains("is no origin"))

    let server = try await Server(vbert, ["--cors-origin", "https://shop.example"])
    let body: [String: Any] = ["inputs": "the red cat runs"]
    let usual = try await server.post("/embed", body, key: key)
    #expect(usual.status == 200 && usual.headers["vary"] == "Origin")
    #expect(try await server.post("/embed", body, key: plain).status == 422)
    let path = try await server.post("/m/find/embed", body, key: plain)
    let query = try await server.post("/embed?model=default/find", body, key: plain)
    #expect(path.body == usual.body && query.body == usual.body)
    let other = try await server.post("/m/other/embed", body, key: key)
    #expect(other.status == 200 && other.body != usual.body)
  }

  /// Changes that wait for another process's wait alone: who asks goes on.
  @Test func waitingChangesHoldNobodyUp() async throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    try vbert.succeed("create", "find", "--task", "embed", "--base", "tiny-skip2")
    let key = try line(vbert, "tenant", "key", "add", "default", "all")
    let server = try await Server(vbert)
    let ask: [String: Any] = ["model": "find", "inputs": "a cat"]
    #expect(try await server.post("/embed", ask, key: key).status == 200)

    let holder = Process()
    holder.executableURL = URL(filePath: "/usr/bin/env")
    let code = """
      import sqlite3, sys
      c = sqlite3.connect(sys.argv[1], isolation_level=None)
      c.execute("BEGIN IMMEDIATE")
      print("held", flush=True)
      sys.stdin.readline()
      """
    let path = vbert.home.appending(path: "registry.sqlite").path()
    holder.arguments = ["python3", "-c", code, path]
    let (said, until) = (Pipe(), Pipe())
    (holder.standardOutput, holder.standardInput) = (said, until)
    try holder.run()
    defer { holder.terminate() }
    _ = said.fileHandleForReading.availableData
    // The client has eight connections.
    let waiting = (0..<6).map { number in
      Task { try await server.post("/v1/keys", ["label": "late-\(number)"], key: key).status }
    }
    try await Task.sleep(for: .milliseconds(300))
    // The lock is let go only when these are answered: one that waited for it would wait until the
    // changes give up, and they would not end with 200.
    for _ in 0..<3 {
      #expect(try await server.get("/health").status == 200)
      #expect(try await server.post("/embed", ask, key: key).status == 200)
    }
    #expect(holder.isRunning, "the lock was held all the while")
    try until.fileHandleForWriting.write(contentsOf: Data("go\n".utf8))
    for task in waiting { #expect(try await task.value == 200) }
  }
}
