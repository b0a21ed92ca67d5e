import Foundation
import Testing

/// What the system allows a process must not decide how much work one job may be.
@Suite struct LimitTests {
  @Test func moreVBERTsAreTrainedAtOnceThanFilesMayBeOpen() throws {
    let world = try TinyWorld()
    let vbert = world.vbert
    defer { vbert.removeHome() }
    let data = try TinyData.write(TinyData.classify, "rows", in: vbert.home)
    let names = (0..<70).map { "v\($0)" }
    for name in names {
      try vbert.succeed("create", name, "--task", "classify", "--base", "tiny-skip2")
    }
    let list = vbert.home.appending(path: "many.jsonl")
    try Data(
      names.map { "{\"name\": \"\($0)\", \"data\": \"\(data)\", \"epochs\": 1}" }
        .joined(separator: "\n").utf8
    ).write(to: list)
    let (process, _, stderr) = try vbert.process(["train", "--many", list.path()])
    // Both limits, so that raising the soft one does not help.
    process.arguments =
      ["-c", "ulimit -n 48; exec \"$0\" \"$@\"", try VbertProcess.binary.path()]
      + (process.arguments ?? [])
    process.executableURL = URL(filePath: "/bin/sh")
    try process.run()
    process.waitUntilExit()
    let said = try String(contentsOf: stderr, encoding: .utf8)
    #expect(process.terminationStatus == 0, "\(said)")
    for name in names { #expect(try world.version(of: name) == 1) }
  }
}
