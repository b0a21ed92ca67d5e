import Compute
import Model
import TestSupport
import Testing

@testable import Trainer

/// Rows as embedders read them, and what is refused.
@Suite struct ComparisonTests {
  private func row(_ json: String) throws(DataRowProblem) -> DataRow {
    try DataRow(json: Array(json.utf8), line: 1, task: .embed, labelled: true)
  }

  private func data(_ lines: [String]) throws -> DataSet {
    DataSet(
      path: "rows",
      rows: try lines.enumerated().map { number, json in
        try DataRow(json: Array(json.utf8), line: number + 1, task: .embed, labelled: true)
      })
  }

  @Test(arguments: [
    (#"{"text": "a", "text_pair": "b"}"#, Comparison.pairs, 1),
    (#"{"anchor": "a", "positive": "b"}"#, .pairs, 1),
    (#"{"anchor": "a", "positive": "b", "negative": "c"}"#, .triplets, 2),
    (#"{"anchor": "a", "positive": "b", "negative": ["c", "d"]}"#, .triplets, 3),
    (#"{"text": "a", "label": 3}"#, .labels, 0),
    (#"{"text": "a", "text_pair": "b", "score": 2.5}"#, .scores, 1),
    (#"{"text": "a", "text_pair": "b", "score": null, "label": null}"#, .pairs, 1),
  ])
  func members(json: String, kind: Comparison, others: Int) throws {
    let row = try row(json)
    #expect(row.comparison == kind && row.others.count == others && row.input == .text("a"))
  }

  @Test(arguments: [
    (#"{"text": "a"}"#, "\"label\" is missing"),
    (#"{"label": "a"}"#, "\"text\" is missing"),
    (#"{"anchor": "a"}"#, "\"positive\" is missing"),
    (#"{"anchor": 1, "positive": "b"}"#, "\"anchor\" is not a string"),
    (#"{"anchor": "a", "positive": "b", "negative": []}"#, "\"negative\" is empty"),
    (#"{"anchor": "a", "positive": "b", "negative": [1]}"#, "a list of strings"),
    (#"{"text": "a", "text_pair": "b", "label": 1}"#, "a pair with a \"label\""),
    (#"{"text": "a", "text_pair": "b", "score": "high"}"#, "\"score\" is not a number"),
  ])
  func refusedRows(json: String, words: String) {
    let problem = #expect(throws: DataRowProblem.self) { try row(json) }
    #expect(problem.map { "\($0)".contains(words) } == true, "\(problem.map { "\($0)" } ?? "")")
  }

  @Test func tooManyNegatives() {
    let list = [String](repeating: "\"x\"", count: 101).joined(separator: ",")
    #expect(throws: DataRowProblem.tooManyNegatives(101)) {
      try row(#"{"anchor": "a", "positive": "b", "negative": [\#(list)]}"#)
    }
  }

  /// Without labels a row is a text, as before.
  @Test func unlabelledRowsAreTexts() throws {
    let row = try DataRow(
      json: Array(#"{"text": "a"}"#.utf8), line: 1, task: .embed, labelled: false)
    #expect(row.comparison == nil && row.others.isEmpty)
  }

  private func refusal(_ lines: [String]) throws -> String {
    let data = try data(lines)
    let problem = #expect(throws: DataSetError.self) { try data.comparison() }
    return problem.map { "\($0)" } ?? ""
  }

  @Test func filesAreOfOneKindThatTeaches() throws {
    let pair = #"{"text": "a", "text_pair": "b"}"#
    let mixed = try refusal([pair, #"{"text": "a", "label": "x"}"#])
    #expect(mixed.contains("rows, line 2") && mixed.contains("another kind of row than line 1"))
    #expect(try refusal([pair]).contains("one row alone"))
    #expect(
      try refusal([#"{"text": "a", "label": "x"}"#, #"{"text": "b", "label": "x"}"#]).contains(
        "one label alone"))
    #expect(
      try refusal([#"{"text": "a", "label": "x"}"#, #"{"text": "b", "label": "y"}"#]).contains(
        "a label of its own"))
    let scored = #"{"text": "a", "text_pair": "b", "score": 3}"#
    #expect(try refusal([scored, scored]).contains("the score 3.0"))
  }

  private func training(
    _ lines: [String], dev: [String]? = nil, spec: VBertSpec? = nil
  ) throws -> TrainingData {
    let (train, held) = (try Self.file(lines), try dev.map(Self.file))
    return try TrainingData(
      data: train.path, dev: held?.path, spec: spec ?? Self.spec, options: TrainingOptions())
  }

  private static func file(_ lines: [String]) throws -> TemporaryFile {
    try TemporaryFile(Array((lines.joined(separator: "\n") + "\n").utf8))
  }

  private static let spec = VBertSpec(
    task: .embed, base: "b", baseHash: "",
    adapter: .lora(rank: 4, alpha: 8, targets: [.query]))

  @Test func scoresKeepTheirRange() throws {
    func rows(_ scores: [Double]) -> [String] {
      scores.map { #"{"text": "a", "text_pair": "b", "score": \#($0)}"# }
    }
    let first = try training(rows([1, 5, 3, 2]))
    #expect(first.spec.scores == ScoreRange(1, 5) && first.spec.labels.isEmpty)
    let data = try Self.file(rows([2, 4, 6, 3]))
    let again = try TrainingData(
      data: data.path, dev: nil, spec: first.spec, options: TrainingOptions(), isTrained: true)
    #expect(again.spec.scores == ScoreRange(1, 6))
  }

  /// Rows kept back have fellows among themselves, or nothing could be measured by them.
  @Test func keptBackLabelsHaveFellows() throws {
    let rows = (0..<200).map { #"{"text": "a", "label": \#($0 % 20)}"# }
    let data = try training(rows)
    let classes = data.dev.classes
    #expect(classes.count == 20)
    #expect(classes.allSatisfy { label in classes.count { $0 == label } > 1 })
  }

  /// Of few rows a tenth would compare nothing: more are kept back, and what is too few says so.
  @Test func fewRowsKeepBackWhatCanBeMeasured() throws {
    let two = (0..<20).map { #"{"text": "a", "label": \#($0 % 2)}"# }
    let labelled = try training(two)
    #expect(Set(labelled.dev.classes).count == 2 && labelled.train.rows.count >= 10)
    let scored = (0..<10).map { #"{"text": "a", "text_pair": "b", "score": \#($0)}"# }
    #expect(try training(scored).dev.rows.count == 2)
    let pairs = (0..<10).map { #"{"text": "a", "text_pair": "b\#($0)"}"# }
    #expect(try training(pairs).dev.rows.count == 2)
    for few in [Array(scored[..<3]), Array(pairs[..<3]), Array(two[..<3])] {
      let problem = #expect(throws: DataSetError.self) { try training(few) }
      #expect(problem.map { "\($0)".contains("too few rows to keep some back") } == true)
    }
  }

  @Test func devRowsCompareWhatTheOthersDo() throws {
    let labelled = ["x", "x", "y", "y"].map { #"{"text": "a", "label": "\#($0)"}"# }
    // Labels of its own are welcome: they tell what is near as well.
    let others = ["v", "v", "w"].map { #"{"text": "a", "label": "\#($0)"}"# }
    #expect(try training(labelled, dev: others).comparison == .labels)
    let pairs = [String](repeating: #"{"text": "a", "text_pair": "b"}"#, count: 3)
    let problem = #expect(throws: DataSetError.self) { try training(labelled, dev: pairs) }
    #expect(problem.map { "\($0)".contains("than those of --data") } == true)
  }

  private func check(
    _ data: TrainingData, _ change: (inout TrainingOptions) -> Void
  ) -> EmbeddingOptionProblem? {
    var options = TrainingOptions()
    change(&options)
    do { try options.check(for: Self.spec, data) } catch { return error }
    return nil
  }

  @Test func optionsThatDoNotSuit() throws {
    let pairs = try training(
      (0..<30).map { #"{"anchor": "a\#($0)", "positive": "b", "negative": ["c", "d"]}"# })
    #expect(check(pairs) { _ in } == nil)
    #expect(check(pairs) { $0.loss = .margin } == nil)
    #expect(check(pairs) { $0.loss = .cosine } == .loss(.cosine, .triplets))
    #expect(check(pairs) { $0.batch = 512 } == nil)
    #expect(check(pairs) { $0.batch = 513 } == .batch(513, texts: 4))
    #expect(check(pairs) { $0.batch = 1 } == .oneRow)
    var options = TrainingOptions()
    options.dimensions = [96, 192, 96]
    #expect(try options.dimensions(before: nil, hidden: 384) == [384, 192, 96])
    #expect(throws: EmbeddingOptionProblem.dimensions(96, hidden: 64)) {
      try options.dimensions(before: nil, hidden: 64)
    }
    #expect(try TrainingOptions().dimensions(before: [384, 96], hidden: 384) == [384, 96])
  }
}
