import Foundation
import Testing

/// `vbert report accuracy` on few rows, from a folder of tasks to the table beside a peer.
@Suite struct FewRowsStudyTests {
  /// cls/topic, pair/alike (scores) and ner/names, train and test alike, no dev.
  private func data(in home: URL) throws -> URL {
    let folder = home.appending(path: "data")
    let tasks = [
      ("cls/topic", TinyData.classify), ("pair/alike", TinyData.score),
      ("ner/names", TinyData.tag),
    ]
    for (name, rows) in tasks {
      let task = folder.appending(path: name)
      try FileManager.default.createDirectory(at: task, withIntermediateDirectories: true)
      for part in ["train", "test"] { _ = try TinyData.write(rows, part, in: task) }
    }
    return folder
  }

  @Test func cellsAndDrawsBesideAPeer() throws {
    let vbert = try TinyWorld().vbert
    defer { vbert.removeHome() }
    let out = vbert.home.appending(path: "few").path()
    let peer = vbert.home.appending(path: "peer.jsonl")
    let lines = (1...2).map { draw in
      #"{"task":"topic","kind":"cls","method":"peer","cell":"4/class","draw":\#(draw),"seed":\#(draw),"#
        + #""metric":"accuracy","value":0.5,"trainRows":8,"testRows":36,"epochs":9,"seconds":0.1}"#
    }
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: peer)
    func study(_ draws: Int, _ methods: String = "exact,full") throws -> [String: Any] {
      let json = try vbert.succeed(
        "report", "accuracy", "--data", try data(in: vbert.home).path(), "--base", "tiny",
        "--skip-base", "tiny-skip2", "--rows", "2,4", "--in-all", "10", "--draws", "\(draws)",
        "--methods", methods, "--least-test", "18", "--peers", peer.path(), "--out", out,
        "--threads", "1", "--json")
      return try #require(
        try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    }
    func logged() throws -> [Substring] {
      try String(contentsOfFile: out + ".jsonl", encoding: .utf8).split(separator: "\n")
    }

    let table = try study(2)
    #expect(
      table["methods"] as? [String]
        == [
          "peer", "tiny full fine-tuning", "tiny-skip2 default adapter, quick",
          "tiny-skip2 default adapter, full",
        ])
    let rows = try #require(table["rows"] as? [[String: Any]])
    // Classes have taggers and scores none.
    #expect(
      rows.map { "\($0["task"] ?? "") \($0["cell"] ?? "")" }
        == ["topic 2/class", "topic 4/class", "topic 10", "alike 10", "names 10"])
    // Three methods, five cells, two draws.
    let first = try logged()
    #expect(first.count == 30)
    #expect(first.allSatisfy { $0.contains(#""dev":"#) && $0.contains(#""draw":"#) })
    // What is there is not run again.
    _ = try study(3)
    let second = try logged()
    #expect(second.count == 45 && Array(second.prefix(30)) == first)
    let alone = try study(2, "none")
    #expect(alone["methods"] as? [String] == ["peer"])
    #expect(try logged() == second)
    let picture = try String(contentsOfFile: out + ".svg", encoding: .utf8)
    #expect(picture.contains("mean of 1 tasks"))
  }

  /// Whole training sets go their own way as before; --kinds chooses, and capped test rows count.
  @Test func wholeTrainingSets() throws {
    let vbert = try TinyWorld().vbert
    defer { vbert.removeHome() }
    let json = try vbert.succeed(
      "report", "accuracy", "--data", try data(in: vbert.home).path(), "--base", "tiny",
      "--skip-base", "tiny-skip2", "--methods", "dense,exact,int8", "--kinds", "cls,ner",
      "--epochs", "1", "--steps", "0", "--test", "12", "--threads", "1", "--out",
      vbert.home.appending(path: "whole").path(), "--json")
    let table = try #require(
      try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    let rows = try #require(table["rows"] as? [[String: Any]])
    #expect(rows.map { $0["task"] as? String } == ["topic", "names"])
    #expect(
      rows.allSatisfy { ($0["values"] as? [Double])?.count == 3 && $0["test_rows"] as? Int == 12 })
    #expect((table["summaries"] as? [[String: Any]])?.count == 6)
  }

  @Test func whatIsNoStudyIsRefused() throws {
    let vbert = try VbertProcess()
    defer { vbert.removeHome() }
    for (arguments, word) in [
      (["--rows", "0"], "--rows takes"), (["--rows", "8,,16"], "--rows takes"),
      (["--in-all", "many"], "--in-all takes"), (["--rows", "8,8"], "twice"),
      (["--rows", "8", "--seeds", "2"], "--draws"), (["--rows", "8", "--draws", "0"], "--draws"),
      (["--rows", "8", "--methods", "int8"], "full, dense and exact"),
      (["--rows", "8", "--methods", "none"], "--peers"), (["--peers", "x"], "--rows or --in-all"),
      (["--kinds", "text"], "cls, pair and ner"),
    ] {
      let output = try vbert.run(
        ["report", "accuracy", "--data", "none", "--base", "none"] + arguments)
      #expect(output.status == 2 && output.stderr.contains(word), "\(arguments): \(output.stderr)")
    }
  }
}
