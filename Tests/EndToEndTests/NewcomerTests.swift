import Foundation
import Glibc
import Testing

/// What somebody meets who sets things up for the first time: what went wrong is said in words of the
/// command line, with what to do, and what a command says is so.
@Suite struct NewcomerTests {
  private func refusal(_ vbert: VbertProcess, _ arguments: [String]) throws -> String {
    let output = try vbert.run(arguments)
    #expect([1, 2].contains(output.status), "\(arguments): \(output.stdout)")
    for jargon in ["bind(", "descriptor", "SocketAddress", "errno", "Swift"] {
      #expect(!output.stderr.contains(jargon), "\(output.stderr)")
    }
    return output.stderr
  }

  @Test func aPortThatCannotBeListenedOnIsSaid() throws {
    let vbert = try VbertProcess()
    defer { vbert.removeHome() }
    let (descriptor, port) = try Server.boundPort(listening: true)
    defer { close(descriptor) }
    for arguments in [["--port", "\(port)"], ["--port", "0", "--health-port", "\(port)"]] {
      let said = try refusal(vbert, ["serve"] + arguments)
      #expect(said.contains("\(port): Address already in use; another program does"), "\(said)")
    }
    // Of the addresses that are for documents alone.
    let said = try refusal(vbert, ["serve", "--port", "0", "--host", "192.0.2.1"])
    #expect(said.contains("give --host an address of this machine"), "\(said)")
    let unknown = try refusal(vbert, ["serve", "--port", "0", "--host", "no.such.host.invalid"])
    #expect(unknown.contains("no address is known of the host \"no.such.host.invalid\""))
  }

  @Test func tablesAndDomainsThatAreNotThere() throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    let base = ["--base", "tiny-skip2"]
    let domain = base + ["--domain", "ward"]
    let lacking = try refusal(vbert, ["plot", "verify"] + domain)
    #expect(lacking.contains("plot build --base tiny-skip2 --domain ward"), "\(lacking)")
    let embedding = ["--task", "embed"] + domain
    let early = try vbert.run(["create", "early"] + embedding).stdout
    #expect(early.contains("first build its domain's table with: vbert plot build"), "\(early)")
    #expect(!early.contains("it answers from now on"))
    let corpus = vbert.home.appending(path: "corpus.txt").path()
    try vbert.succeed(
      "plot", "build", "--base", "tiny-skip2", "--domain", "ward", "--corpus", corpus)
    let late = try vbert.run(["create", "late"] + embedding).stdout
    #expect(late.contains("it answers from now on"), "\(late)")
    try vbert.succeed("predict", "early", "the red cat runs")
    // A base that reads no table would let the domain be.
    let dense = try refusal(
      vbert, ["create", "dense", "--task", "embed", "--base", "tiny", "--domain", "ward"])
    #expect(dense.contains("would change nothing; leave --domain out"), "\(dense)")
    // One that learns does not answer before.
    let taught = try vbert.run(["create", "taught", "--adapter", "lora:8"] + embedding).stdout
    #expect(taught.contains("train it with: vbert train taught"), "\(taught)")
    // Labelled rows are no corpus, and may be meant.
    let rows = try TinyData.write(TinyData.classify, "rows", in: vbert.home)
    let counted = try vbert.run(["plot", "build"] + domain + ["--corpus", rows])
    #expect(counted.status == 0 && counted.stderr.contains("begins with a JSON object"))
    let old = vbert.home.appending(path: "latin1.txt")
    try Data("plain\ncaf".utf8 + [0xE9, 0x0A]).write(to: old)
    let replaced = try vbert.run(["plot", "build"] + domain + ["--corpus", old.path()])
    #expect(replaced.status == 0 && replaced.stderr.contains("latin1.txt, line 2 is not UTF-8"))
    let whole = try vbert.run(["plot", "verify"] + base)
    #expect(whole.status == 0 && whole.stdout.contains("damaged: nothing"), "\(whole.stdout)")
    let empty = vbert.home.appending(path: "empty.txt")
    try Data("\n \n".utf8).write(to: empty)
    let blank = try refusal(vbert, ["plot", "build"] + domain + ["--corpus", empty.path()])
    #expect(blank.contains("empty.txt holds no text"), "\(blank)")
  }

  @Test func wordsAreThoseOfTheCommandLine() throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    let data = try TinyData.write(TinyData.classify, "topic", in: vbert.home)
    try vbert.succeed("create", "topic", "--task", "classify", "--base", "tiny-skip2")
    let list = vbert.home.appending(path: "list.jsonl")
    try Data("{\"name\": \"topic\", \"data\": \"\(data)\"}\n".utf8).write(to: list)
    // What the list leaves out is as the command line says.
    let few = try vbert.run(["train", "--many", list.path(), "--limit", "1"])
    #expect(few.status == 1 && (few.stderr + few.stdout).contains("one label alone"), "\(few)")
    try vbert.succeed("train", "--many", list.path(), "--limit", "30", "--epochs", "1")
    for (more, words) in [
      ("\"epoch\": 3", "line 1: \"epoch\" is no member of a line"),
      ("\"limit\": 0", "line 1: limit must be 1 or more"),
    ] {
      try Data("{\"name\": \"topic\", \"data\": \"\(data)\", \(more)}\n".utf8).write(to: list)
      let said = try refusal(vbert, ["train", "--many", list.path()])
      #expect(said.contains(words), "\(said)")
    }
    for (option, value) in [("--lr", "-1"), ("--seed", "-1"), ("--dropout", "-0.5")] {
      let said = try refusal(vbert, ["train", "topic", "--data", data, option, value])
      #expect(said.contains("is written \(option)=\(value)."), "\(said)")
    }
    let pair = try refusal(vbert, ["predict", "topic", "a cat", "--pair", "a dog"])
    #expect(pair.contains("leave --pair out") && !pair.contains("text_pair"), "\(pair)")
    let scores = try TinyData.write(TinyData.score, "scorer", in: vbert.home)
    try vbert.succeed("create", "scorer", "--task", "score", "--base", "tiny-skip2")
    try vbert.succeed("train", "scorer", "--data", scores, "--epochs", "1")
    // Against scores that are all one nothing is shown to be learnt.
    let flat = try TinyData.write(
      TinyData.score.prefix(4).map { $0.merging(["score": 1.0]) { $1 } }, "flat", in: vbert.home)
    let doubtful = try vbert.run([
      "train", "scorer", "--data", scores, "--dev", flat, "--epochs", "1",
    ])
    #expect(doubtful.status == 0 && doubtful.stderr.contains("scorer version 2 has learnt nothing"))
    let single = try refusal(vbert, ["predict", "scorer", "a cat"])
    #expect(single.contains("give the second text with --pair"), "\(single)")
  }

  @Test func aHomeThatIsNoneIsSaid() throws {
    let vbert = try VbertProcess()
    defer { vbert.removeHome() }
    try Data("no database, though it has the name of one".utf8).write(
      to: vbert.home.appending(path: "registry.sqlite"))
    let other = try refusal(vbert, ["list"])
    #expect(other.contains("put it back from a backup"), "\(other)")
    let file = vbert.home.appending(path: "file")
    try Data().write(to: file)
    for (home, words) in [(file.path(), "cannot be made: File exists"), ("", "--home is empty")] {
      let process = Process()
      process.executableURL = try VbertProcess.binary
      process.arguments = ["list", "--home", home]
      let pipe = Pipe()
      process.standardError = pipe
      try process.run()
      process.waitUntilExit()
      let said = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
      #expect(process.terminationStatus != 0 && said.contains(words), "\(said)")
    }
  }

  /// "Come back later" is said of what may fit later alone.
  @Test func whatNeverFitsTheQueueIsNotToldToComeBack() async throws {
    let world = try TinyWorld()
    defer { world.vbert.removeHome() }
    try world.vbert.succeed("create", "meaning", "--task", "embed", "--base", "tiny-skip2")
    for bound in [["--queue", "3"], ["--tenant-queue", "3"]] {
      let server = try await Server(world.vbert, bound)
      let few = ["the red cat", "a cold dog", "one"]
      let fits = try await server.post("/embed", ["model": "meaning", "inputs": few])
      #expect(fits.status == 200)
      let never = try await server.post("/embed", ["model": "meaning", "inputs": few + ["two"]])
      #expect(never.status == 413 && never.headers["retry-after"] == nil)
      #expect(String(decoding: never.body, as: UTF8.self).contains("at most 3 are possible"))
      #expect(server.stop() == 0)
    }
  }

  /// Whatever a verb makes in a home is its owner's alone.
  @Test func whatVerbsMakeInAHomeIsPrivate() throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    let corpus = vbert.home.appending(path: "text.txt")
    let lines = (0..<400).map { "the \($0 % 2 == 0 ? "red" : "cold") cat runs in oslo ." }
    try Data(lines.joined(separator: "\n").utf8).write(to: corpus)
    try vbert.succeed(
      "distill", "--base", "tiny", "--skip", "2", "--name", "taught", "--tokens", "1K", "--corpus",
      corpus.path(), "--dev-lines", "2")
    try vbert.succeed("plot", "build", "--base", "taught", "--corpus", corpus.path(), "--rows", "9")
    for folder in ["adapters", "bases", "distill", "locks"] {
      let root = vbert.home.appending(path: folder)
      let below = FileManager.default.enumerator(atPath: root.path())?.allObjects ?? []
      for path in [root.path()] + below.map({ "\(root.path())/\($0)" }) {
        let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions]
        #expect(((mode as? NSNumber)?.intValue ?? 0o777) & 0o077 == 0, "\(path)")
      }
    }
  }

  /// Who makes the first key is told whom it shuts out.
  @Test func theFirstKeySaysThatItCloses() throws {
    let vbert = try VbertProcess()
    defer { vbert.removeHome() }
    let first = try vbert.run(["tenant", "create", "acme"])
    #expect(first.stdout.hasPrefix("vb_") && first.stdout.split(separator: "\n").count == 1)
    #expect(first.stderr.contains("closed from now on"), "\(first.stderr)")
    let second = try vbert.run(["tenant", "create", "zenith"])
    #expect(second.status == 0 && second.stderr.isEmpty, "\(second.stderr)")
  }
}
