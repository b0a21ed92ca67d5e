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
    try vbert.succeed("create", "tags", "--task", "tag", "--base", "tiny-skip2")
    let rows = try TinyData.write(TinyData.tag, "tags", in: vbert.home)
    let tags = try vbert.run(["train", "tags", "--data", rows, "--steps", "5"])
    #expect(tags.status == 1 && tags.stderr.contains("this training goes by epochs"))
    #expect(try vbert.run(["train", "few", "--data", data, "--effort", "some"]).status == 2)
    let list = try TinyData.write(
      [["name": "few", "data": data, "effort": "full", "epochs": 3]], "list", in: vbert.home)
    let line = try vbert.run(["train", "--many", list])
    #expect(line.status != 0 && line.stderr.contains("effort does not go by epochs"))
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
