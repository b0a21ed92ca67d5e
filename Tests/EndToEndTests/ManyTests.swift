import Foundation
import Glibc
import Testing

/// `vbert train --many`: what concerns one vBERT leaves the others alone, what is published stays, and the
/// memory is what was said.
@Suite("Training many", .serialized)
struct ManyTests {
  private let world: TinyWorld
  private var vbert: VbertProcess { world.vbert }

  init() throws { world = try TinyWorld() }

  /// The list as a file.
  private func list(_ lines: [[String: Any]]) throws -> String {
    try TinyData.write(lines, "list-\(UUID().uuidString)", in: vbert.home)
  }

  private func create(_ name: String, _ more: String..., base: String = "tiny-skip2") throws {
    let task = more.contains("--task") ? [] : ["--task", "classify"]
    let output = try vbert.run(["create", name, "--base", base] + task + more)
    guard output.status == 0 else { throw VbertProcess.Failure(description: output.stderr) }
  }

  private func objects(_ text: String) -> [[String: Any]] {
    text.split(separator: "\n").compactMap {
      try? JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any]
    }
  }

  /// Each a list of its own would have ended before anything was trained.
  private func badMembers(_ data: String) throws -> [(line: [String: Any], why: String)] {
    let home = vbert.home
    func file(_ name: String, _ text: String) throws -> String {
      try Data(text.utf8).write(to: home.appending(path: name))
      return home.appending(path: name).path()
    }
    try vbert.succeed("base", "skip", "--base", "tiny", "--skip", "1", "--name", "moved")
    for name in ["absent", "folder", "broken", "cut", "alone", "option", "limit", "dev"] {
      try create(name)
    }
    try create("replaced", base: "moved")
    try FileManager.default.removeItem(at: home.appending(path: "bases/moved"))
    try vbert.succeed("base", "skip", "--base", "tiny", "--skip", "2", "--name", "moved")
    try create("lost", base: "moved")
    try create("embedder", "--task", "embed", "--adapter", "none")
    try create("wild", "--task", "score")
    let wild = try TinyData.write(
      TinyData.score.map { $0.merging(["score": 1e30]) { $1 } }, "wild", in: home)
    let packed = home.appending(path: "cut.jsonl.gz")
    try Data([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 3, 1, 2, 3]).write(to: packed)
    return [
      (["name": "absent", "data": "/nowhere/rows.jsonl"], "cannot open /nowhere/rows.jsonl"),
      (["name": "folder", "data": home.path()], "directory"),
      (
        [
          "name": "broken",
          "data": try file("broken.jsonl", "{\"text\": \"a\", \"label\": \"b\"}\n{"),
        ],
        "broken.jsonl, line 2"
      ),
      (["name": "cut", "data": packed.path()], "cut.jsonl.gz"),
      (["name": "nobody", "data": data], "there is no vBERT named nobody"),
      (["name": "replaced", "data": data], "the base moved is not the one"),
      (["name": "embedder", "data": data], "nothing to train"),
      (["name": "option", "data": data, "epochs": 0], "line 8: epochs must be 1 to 1000"),
      (["name": "limit", "data": data, "limit": 0], "line 9: limit must be 1 or more"),
      (
        [
          "name": "alone", "data": try file("alone.jsonl", "{\"text\": \"a\", \"label\": \"b\"}\n"),
        ],
        "holds one label alone"
      ),
      (
        ["name": "dev", "data": data, "dev": "/nowhere/dev.jsonl"], "cannot open /nowhere/dev.jsonl"
      ),
      (["name": "wild", "data": wild], "divide all of them"),
    ]
  }

  @Test func whatIsWrongWithOneLeavesTheOthersAlone() throws {
    defer { vbert.removeHome() }
    let data = try TinyData.write(TinyData.classify, "rows", in: vbert.home)
    let tags = try TinyData.write(TinyData.tag, "tags", in: vbert.home)
    let bad = try badMembers(data)
    for name in ["first", "last"] { try create(name) }
    try create("tagger", "--task", "tag", "--adapter", "lora:4")
    let good: [[String: Any]] = [
      ["name": "last", "data": data], ["name": "lost", "data": data],
      ["name": "tagger", "data": tags], ["name": "first", "data": data],
    ]
    let path = try list(bad.map(\.line) + good)
    let output = try vbert.run(["train", "--many", path, "--epochs", "2", "--json"])
    #expect(output.status == 1, "\(output.stderr)")
    let report = try #require(objects(output.stdout).first)
    let members = try #require(report["vberts"] as? [[String: Any]])
    #expect(output.stdout.split(separator: "\n").count == 1)
    #expect(report["failed"] as? Int == bad.count && members.count == bad.count + good.count)
    // In the order of the list; and each was told when it ended.
    let told = Dictionary(
      objects(output.stderr).compactMap { line in (line["name"] as? String).map { ($0, line) } }
    ) { $1 }
    for (member, (line, why)) in zip(members, bad) {
      let name = try #require(line["name"] as? String)
      #expect(member["name"] as? String == name)
      #expect((member["error"] as? String)?.contains(why) == true, "\(name): \(member)")
      #expect(told[name]?["error"] as? String == member["error"] as? String)
      if !["nobody", "embedder"].contains(name) { #expect(try world.version(of: name) == nil) }
    }
    for (member, line) in zip(members.dropFirst(bad.count), good) {
      let name = try #require(line["name"] as? String)
      #expect(member["name"] as? String == name && member["version"] as? Int == 1)
      #expect(member["error"] == nil && member["score"] as? Double != nil)
      #expect(told[name]?["version"] as? Int == 1)
      #expect(try world.version(of: name) == 1)
    }
  }

  @Test func aListThatCannotBeReadIsRefusedWhole() throws {
    defer { vbert.removeHome() }
    let data = try TinyData.write(TinyData.classify, "rows", in: vbert.home)
    for number in 1...3 { try create("v\(number)") }
    let lines = (1...3).map { "{\"name\": \"v\($0)\", \"data\": \"\(data)\"}" }
    let path = vbert.home.appending(path: "damaged.jsonl")
    for (text, why) in [
      ((lines + ["{\"name\": \"v"]).joined(separator: "\n"), "line 4: it is not valid JSON"),
      ((lines + [lines[0]]).joined(separator: "\n"), "v1 is in the list twice"),
      ("\n", "names no vBERT"),
    ] {
      try Data(text.utf8).write(to: path)
      let output = try vbert.run(["train", "--many", path.path()])
      #expect(output.status != 0 && output.stderr.contains(why), "\(output.stderr)")
      #expect(output.stdout.isEmpty)
    }
    for number in 1...3 { #expect(try world.version(of: "v\(number)") == nil) }
    let alone = try vbert.run(["train", "v1", "--data", data, "--memory", "1G"])
    #expect(alone.stderr.contains("--memory is for --many"), "\(alone.stderr)")
  }

  /// No machine has so many GPUs.
  @Test func aDeviceThatFailsEndsAll() throws {
    defer { vbert.removeHome() }
    let data = try TinyData.write(TinyData.classify, "rows", in: vbert.home)
    for name in ["first", "absent", "last"] { try create(name) }
    let train = ["train", "--device", "cuda:1000", "--many"]
    let good = [["name": "first", "data": data], ["name": "last", "data": data]]
    let early = try vbert.run(train + [try list(good)])
    #expect(early.status == 1 && early.stdout.isEmpty && early.stderr.hasPrefix("vbert: "))
    let late = try vbert.run(train + [try list(good + [["name": "absent", "data": "/nowhere"]])])
    #expect(late.status == 1 && late.stderr.contains("vbert: ended before its time: "))
    #expect(late.stdout.contains("absent: cannot open /nowhere"), "\(late.stdout)")
    #expect(late.stdout.contains("2 were not trained: all ended before its time: "))
    #expect(late.stdout.contains("0 of 3 vBERTs trained"))
    let alone = try vbert.run(["train", "first", "--device", "cuda:1000", "--data", data])
    #expect(alone.status == 1 && alone.stderr == early.stderr)
    #expect(try world.version(of: "first") == nil)
  }

  @Test func theWorstComesFirst() throws {
    defer { vbert.removeHome() }
    let data = try TinyData.write(TinyData.classify, "rows", in: vbert.home)
    // What no row of training resembles.
    let hard = try TinyData.write(
      [
        ["text": "the red cat", "label": "heat"], ["text": "a blue dog", "label": "heat"],
        ["text": "the warm bird", "label": "colour"], ["text": "a cold cat", "label": "colour"],
      ], "hard", in: vbert.home)
    for name in ["easy", "hard"] { try create(name) }
    let path = try list([
      ["name": "easy", "data": data, "dev": data], ["name": "hard", "data": data, "dev": hard],
      ["name": "none", "data": data],
    ])
    let output = try vbert.run(["train", "--many", path, "--epochs", "8", "--lr", "0.01"])
    #expect(output.status == 1)
    let lines = output.stdout.split(separator: "\n").map(String.init)
    #expect(lines.count == 6 && lines[0].hasPrefix("WORST FIRST"), "\(output.stdout)")
    #expect(lines[1].hasPrefix("hard") && lines[2].hasPrefix("easy"))
    #expect(lines[3] == "failed:" && lines[4].hasPrefix("none: there is no vBERT"))
    #expect(lines[5].hasPrefix("2 of 3 vBERTs trained in"))
    let said = output.stderr.split(separator: "\n")
    #expect(said.contains { $0.hasPrefix("none: failed, 0 s: there is no vBERT") })
    #expect(said.contains { $0.hasPrefix("easy version 1: dev accuracy 1.0 after epoch") })
  }

  /// So many vBERTs of which each takes some 7 MB while it trains.
  private func wideOnes(_ count: Int) throws -> (names: [String], list: String) {
    let data = try TinyData.write(TinyData.classify, "rows", in: vbert.home)
    let names = (0..<count).map { "v\($0)" }
    for name in names { try create(name, "--adapter", "lora:256@all") }
    return (names, try list(names.map { ["name": $0, "data": data] }))
  }

  /// Runs it: the most that was resident, in bytes, as the kernel counts it, and every vBERT's metrics.
  private func peak(_ arguments: [String]) throws -> (bytes: Int, metrics: [[String: Double]]) {
    let (process, stdout, _) = try vbert.process(arguments + ["--json"])
    try process.run()
    var bytes = 0
    while process.isRunning {
      let status = try? String(
        contentsOfFile: "/proc/\(process.processIdentifier)/status", encoding: .utf8)
      let line = status?.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
      bytes = max(bytes, line.flatMap { Int($0.filter(\.isNumber)) } ?? 0)
      usleep(2000)
    }
    let report = objects(try String(contentsOf: stdout, encoding: .utf8)).first
    #expect(process.terminationStatus == 0)
    return (
      bytes << 10,
      (report?["vberts"] as? [[String: Any]] ?? []).compactMap {
        $0["metrics"] as? [String: Double]
      }
    )
  }

  @Test func theMemoryIsBoundedHoweverLongTheList() throws {
    defer { vbert.removeHome() }
    let (names, list) = try wideOnes(30)
    let train = ["train", "--many", list, "--epochs", "1", "--memory"]
    let bound = try peak(train + ["192MB"])
    #expect(bound.bytes < 192 << 20, "\(bound.bytes >> 20) MB")
    for name in names { #expect(try world.version(of: name) == 1) }
    // What all at once would take: the bound is one that holds something back.
    let free = try peak(train + ["1G"])
    #expect(free.bytes > 192 << 20, "\(free.bytes >> 20) MB")
    // In other company each has become the same.
    #expect(bound.metrics.count == names.count && bound.metrics == free.metrics)
    let small = try vbert.run(train + ["100M"])
    #expect(small.status == 1 && small.stdout.contains("do not fit into --memory; give --memory"))
    let told = small.stdout.split(separator: "give --memory ").last?.prefix { $0 != "," } ?? ""
    #expect(try vbert.run(train + [String(told)]).status == 0, "\(told)")
  }

  /// Where nothing of a wave can be written, the next would be trained for nothing.
  @Test func aDiskThatTakesNothingEndsAll() throws {
    defer { vbert.removeHome() }
    let (names, list) = try wideOnes(16)
    let (process, stdout, _) = try vbert.process([
      "train", "--many", list, "--epochs", "1", "--memory", "192M",
    ])
    // Files of 500 KB at most: the registry fits, an adapter does not.
    process.arguments =
      ["-c", "trap '' XFSZ; ulimit -f 1000; exec \"$0\" \"$@\"", try VbertProcess.binary.path()]
      + (process.arguments ?? [])
    process.executableURL = URL(filePath: "/bin/sh")
    try process.run()
    process.waitUntilExit()
    let said = try String(contentsOf: stdout, encoding: .utf8)
    #expect(process.terminationStatus == 1 && said.contains("0 of 16 vBERTs trained"), "\(said)")
    #expect(said.contains(" were not trained: all ended before its time: "), "\(said)")
    for name in names { #expect(try world.version(of: name) == nil) }
    try vbert.succeed("train", "--many", list, "--epochs", "1", "--limit", "30")
  }

  /// Of many waves the first are published while the others train.
  @Test func whatHasEndedSurvivesKill9() async throws {
    defer { vbert.removeHome() }
    let (names, list) = try wideOnes(24)
    let (process, _, stderr) = try vbert.process(
      ["train", "--many", list, "--epochs", "4", "--memory", "192M", "--json"])
    try process.run()
    var told: [String] = []
    while process.isRunning, told.isEmpty {
      try await Task.sleep(for: .milliseconds(2))
      told = objects(try String(contentsOf: stderr, encoding: .utf8))
        .compactMap { $0["version"] as? Int == 1 ? $0["name"] as? String : nil }
    }
    #expect(process.isRunning)
    kill(process.processIdentifier, SIGKILL)
    process.waitUntilExit()
    #expect(!told.isEmpty && told.count < names.count)
    for name in told { #expect(try world.version(of: name) == 1) }
    let lost = try names.filter { try world.version(of: $0) == nil }
    #expect(!lost.isEmpty)
    // Nothing of the rest is in the way of the next training.
    try vbert.succeed("train", "--many", list, "--epochs", "1")
    for name in lost { #expect(try world.version(of: name) == 1) }
    try vbert.succeed("predict", told[0], "the blue cat sleeps")
  }
}
