import Foundation
import Testing

/// `vbert train` on the rows that a customer brings: what it chooses, says and keeps.
@Suite("Few rows") struct FewRowsTests {
  private let world: TinyWorld
  private var vbert: VbertProcess { world.vbert }

  init() throws { world = try TinyWorld() }

  private func train(_ arguments: String...) throws -> [String: Any] {
    let output = try vbert.run(["train"] + arguments + ["--json"])
    guard output.status == 0 else { throw VbertProcess.Failure(description: output.stderr) }
    return try #require(
      JSONSerialization.jsonObject(with: Data(output.stdout.utf8)) as? [String: Any])
  }

  private func create(_ name: String) throws {
    try vbert.succeed(
      "create", name, "--task", "classify", "--base", "tiny-skip2", "--adapter", "lora:4")
  }

  @Test func quickThenFull() throws {
    defer { vbert.removeHome() }
    let data = try TinyData.write(TinyData.classify, "rows", in: vbert.home)
    try create("few")
    let quick = try train("few", "--data", data, "--effort", "quick", "--note", "mine")
    let recipe = try #require(quick["recipe"] as? String)
    #expect(recipe.contains("2 labels: head solved") && !recipe.contains("adapter"))
    let metrics = try #require(quick["metrics"] as? [String: Double])
    #expect(metrics["cv_accuracy"] != nil && metrics["dev_accuracy"] == nil)
    #expect(quick["dev_rows"] as? Int == 0)
    let versions = try vbert.succeed("versions", "few", "--json")
    #expect(versions.contains("mine; ") && versions.contains("head solved"))
    #expect(try vbert.succeed("list", "--json").contains(#""adapter":"none""#))
    // What it was created with is tried with more effort.
    let full = try train("few", "--data", data, "--effort", "full", "--steps", "40", "--lr", "0.01")
    #expect(try #require(full["recipe"] as? String).contains("adapter"))
    let said = try vbert.succeed("predict", "few", "the red cat runs")
    #expect(said.contains("colour") || said.contains("heat"))
    // Rows that were given measure, and choose nothing.
    let dev = try train("few", "--data", data, "--dev", data)
    #expect((dev["metrics"] as? [String: Double])?["dev_accuracy"] != nil)
    let epochs = try train("few", "--data", data, "--epochs", "2")
    #expect(epochs["recipe"] == nil && epochs["epochs"] as? Int ?? 0 <= 2)
  }

  @Test func whatContradictsIsRefused() throws {
    defer { vbert.removeHome() }
    let data = try TinyData.write(TinyData.classify, "rows", in: vbert.home)
    try create("few")
    let both = try vbert.run(
      ["train", "few", "--data", data, "--effort", "quick", "--patience", "2"])
    #expect(both.status == 2 && both.stderr.contains("leave --patience out, or --effort"))
    #expect(try vbert.run(["train", "few", "--data", data, "--steps", "0"]).status == 2)
    for more in [["--steps", "5", "--epochs", "2"], ["--effort", "quick", "--lr", "0.1"]] {
      #expect(try vbert.run(["train", "few", "--data", data] + more).status == 2)
    }
    try vbert.succeed(
      "create", "near", "--task", "embed", "--adapter", "lora:2@query", "--base", "tiny-skip2")
    let texts = try TinyData.write(
      (0..<20).map { ["text": "text \($0)", "label": $0 % 2 == 0 ? "even" : "odd"] }, "texts",
      in: vbert.home)
    let near = try vbert.run(["train", "near", "--data", texts, "--steps", "5"])
    for effort in ["quick", "full"] {
      let asked = try vbert.run(["train", "near", "--data", texts, "--effort", effort])
      #expect(asked.status == 1 && asked.stderr.contains("--effort \(effort) is for few rows"))
    }
    try vbert.succeed(
      "create", "bare", "--task", "classify", "--adapter", "none", "--base", "tiny-skip2")
    for option in [["--steps", "5"], ["--lr", "0.1"]] {
      let bare = try vbert.run(["train", "bare", "--data", data] + option)
      #expect(bare.status == 1 && bare.stderr.contains("tunes none"), "\(bare)")
    }
    try vbert.succeed("create", "price", "--task", "score", "--base", "tiny-skip2")
    let one = try TinyData.write([["text": "a", "score": 1]], "one", in: vbert.home)
    let alone = try vbert.run(["train", "price", "--data", one, "--dev", one])
    #expect(alone.status == 1 && alone.stderr.contains("holds one row; give two or more"))
    #expect(near.status == 1 && near.stderr.contains("an embedder goes by epochs"), "\(near)")
    #expect(try vbert.run(["train", "few", "--data", data, "--effort", "some"]).status == 2)
    let pooling = try vbert.run(["create", "norm", "--pooling", "mean-normalized"])
    #expect(pooling.status == 2 && pooling.stderr.contains("create with mean"), "\(pooling)")
    let list = try TinyData.write(
      [["name": "few", "data": data, "effort": "full", "epochs": 3]], "list", in: vbert.home)
    let mixed = try TinyData.write(
      [
        ["name": "few", "data": data, "effort": "full"],
        ["name": "bare", "data": data, "effort": "quick", "lr": 0.1],
      ], "mixed", in: vbert.home)
    let mixture = try vbert.run(["train", "--many", mixed])
    #expect(mixture.status == 1 && mixture.stderr.contains("effort quick tunes nothing"))
    let line = try vbert.run(["train", "--many", list])
    #expect(line.status != 0 && line.stderr.contains("effort does not go by epochs"))
  }

  /// Members of every task in one list, each with an adapter.
  @Test func tasksTrainBesideEachOther() throws {
    defer { vbert.removeHome() }
    let rows: [(String, [[String: Any]])] = [
      ("classify", TinyData.classify), ("score", TinyData.score), ("tag", TinyData.tag),
    ]
    var list: [[String: Any]] = []
    for (task, rows) in rows {
      try vbert.succeed("create", task, "--task", task, "--base", "tiny-skip2")
      list.append(["name": task, "data": try TinyData.write(rows, task, in: vbert.home)])
    }
    let path = try TinyData.write(list, "list", in: vbert.home)
    try vbert.succeed("train", "--many", path, "--steps", "3")
    // By epochs an effort that was asked for is refused, and its line alone.
    list[0]["effort"] = "full"
    let mixed = try TinyData.write(list, "mixed", in: vbert.home)
    let output = try vbert.run(["train", "--many", mixed, "--epochs", "2"])
    #expect(output.status == 1 && output.stderr.contains("effort does not go by epochs"))
    #expect(output.stdout.contains("2 of 3 vBERTs trained"), "\(output)")
  }

  /// Above twenty members heads alone, but for who says otherwise.
  @Test func manyAreQuick() throws {
    defer { vbert.removeHome() }
    let data = try TinyData.write(TinyData.classify, "rows", in: vbert.home)
    let names = (0..<21).map { "v\($0)" }
    for name in names { try create(name) }
    var lines: [[String: Any]] = names.map { ["name": $0, "data": data] }
    lines[3]["effort"] = "full"
    let list = try TinyData.write(lines, "list", in: vbert.home)
    let json = try vbert.succeed("train", "--many", list, "--json")
    let report = try #require(
      try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any])
    let recipes = try #require(report["vberts"] as? [[String: Any]]).compactMap {
      $0["recipe"] as? String
    }
    #expect(recipes.count == 21)
    #expect(recipes.enumerated().filter { $1.contains("adapter") }.map(\.offset) == [3])
  }
}
