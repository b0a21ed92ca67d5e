import Foundation
import Model
import Testing

@testable import Trainer

@Suite struct ExamplesTests {
  /// A vBERT knows what it learnt from; rows of the other kind are refused, in every file.
  @Test func textsAndPairsAreNotMixedUp() throws {
    let (text, pair) = (
      #"{"text": "the cat", "label": "LABEL"}"#,
      #"{"text": "a", "text_pair": "b", "label": "LABEL"}"#
    )
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    func file(_ rows: [String]) throws -> String {
      let url = folder.appending(path: "\(UUID().uuidString).jsonl")
      let lines = rows.enumerated().map {
        $0.element.replacing("LABEL", with: $0.offset % 2 == 0 ? "x" : "y")
      }
      try Data(lines.joined(separator: "\n").utf8).write(to: url)
      return url.path()
    }
    let texts = try file(Array(repeating: text, count: 8))
    let pairs = try file(Array(repeating: pair, count: 8))
    let mixed = try file([text, text, text, text, pair, pair, text, text])
    let world = try TrainingJobTests.World(skip: 0)
    var spec = VBertSpec(
      task: .classify, base: "small", baseHash: "", adapter: .none, maxLength: 16)
    func learn(_ data: String, dev: String? = nil, isTrained: Bool = false, anew: Bool = false)
      throws -> VBertSpec
    {
      let files = try TrainingData(
        data: data, dev: dev, spec: spec, options: TrainingOptions(), isTrained: isTrained,
        startsAnew: anew)
      _ = try files.examples(tokenizer: world.tokenizer, base: world.configuration)
      return files.spec
    }
    #expect(try learn(texts).input == .text && learn(pairs).input == .pair)
    #expect(try learn(mixed).input == nil)
    let others = try file([text, text.replacing("LABEL", with: "z")])
    for (data, dev, isTrained, words) in [
      (texts, pairs, false, "line 1: a pair, but the rows of --data are single texts"),
      (pairs, mixed, false, "line 1: a single text, but the rows of --data are pairs"),
      (texts, others, false, "line 2: the label \"z\" is in no row of --data"),
      // What a version had does not count then, so what is said of it would be no help.
      (texts, pairs, true, "the rows of --data are single texts"),
    ] {
      #expect {
        try learn(data, dev: dev, isTrained: isTrained, anew: isTrained)
      } throws: { "\($0)".contains(words) && !"\($0)".contains("--anew") }
    }
    spec = try learn(texts)
    let error = #expect(throws: DataSetError.self) { try learn(mixed, isTrained: true) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("line 5: a pair, but"))
    #expect(try learn(pairs, isTrained: true, anew: true).input == .pair)
  }

  /// A row that the base cannot read is named before anything is learnt.
  @Test func pairsOnABaseOfOneSegmentAreRefused() throws {
    let world = try TrainingJobTests.World(skip: 0)
    let rows = [
      DataRow(line: 1, input: .text("the cat"), target: .label("a")),
      DataRow(line: 7, input: .pair("the cat", "the cat"), target: .label("b")),
    ]
    let spec = VBertSpec(
      task: .classify, base: "small", baseHash: "", adapter: .none, labels: ["a", "b"],
      maxLength: 16)
    func examples(_ model: Configuration) throws -> Examples {
      try Examples(
        DataSet(path: "rows.jsonl", rows: rows), spec: spec, labels: LabelSet(["a", "b"]),
        tokenizer: world.tokenizer, base: model)
    }
    #expect(try examples(world.configuration).count == 2)
    var model = world.configuration
    model.tokenTypes = 1
    let error = #expect(throws: DataSetError.self) { try examples(model) }
    #expect("\(error.map { "\($0)" } ?? "")".contains("line 7: the base small cannot read it"))
    // More tokens than the base has positions.
    model.maxPositions = 3
    #expect(throws: DataSetError.self) { try examples(model) }
  }
}
