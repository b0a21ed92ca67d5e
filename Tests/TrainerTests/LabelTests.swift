import Foundation
import Model
import TestSupport
import Testing

@testable import Trainer

/// Labels are text as it was given, in the order that was declared.
@Suite struct LabelTests {
  private static func data(_ labels: [String], path: String = "rows") -> DataSet {
    DataSet(
      path: path,
      rows: labels.enumerated().map {
        DataRow(line: $0.offset + 1, input: .text("a"), target: .label($0.element))
      })
  }

  private static func spec(
    _ labels: [String], unseen: [String]? = nil, task: VBertTask = .classify
  )
    -> VBertSpec
  {
    var spec = VBertSpec(task: task, base: "b", baseHash: "", adapter: .none, labels: labels)
    spec.unseenLabels = unseen
    return spec
  }

  private static func row(_ json: String, task: VBertTask = .classify, labelled: Bool = true)
    throws -> DataRow
  {
    try DataRow(json: Array(json.utf8), line: 1, task: task, labelled: labelled)
  }

  @Test func numbersAreInTheirOrder() {
    let integers = (0...11).map(String.init)
    #expect(LabelOrder.sorted(integers.shuffled()) == integers)
    let mixed = [
      "-10", "-9.5", "-1", "0", "0.05", "0.5", "1", "01.5", "2", "10", "9007199254740992",
      "9007199254740993", "123456789012345678901234567890",
    ]
    #expect(LabelOrder.sorted(mixed.shuffled()) == mixed)
    #expect(LabelOrder.sorted(["1", "01", "-0", "0"]) == ["-0", "0", "01", "1"])
    // One that is no number, and all go by code point.
    #expect(LabelOrder.sorted(["2", "10", "x"]) == ["10", "2", "x"])
    for text in ["", "-", ".", "1.", ".5", "+1", "1e3", "0x1", "1 ", "١"] {
      #expect(
        LabelOrder.sorted(["9", "10", text]).filter { $0 != text } == ["10", "9"], "\(text)")
    }
    // U+FFEE comes before U+1F600, though UTF-16 has it behind.
    #expect(
      LabelOrder.sorted(["\u{1F600}", "\u{FFEE}", "b", "B"]) == ["B", "b", "\u{FFEE}", "\u{1F600}"])
  }

  @Test func wholeNumbersKeepTheirDigits() throws {
    for digits in [
      "0", "-7", "9007199254740992", "9007199254740993", "9223372036854775807",
      "-9223372036854775808", "18446744073709551615", "123456789012345678901234567890",
    ] {
      let row = try Self.row("{\"text\": \"a\", \"label\": \(digits)}")
      #expect(row.target == .label(digits))
    }
    for (number, digits) in [
      ("3.0", "3"), ("-0", "0"), ("1e2", "100"), ("9007199254740993.0", "9007199254740993"),
      ("9007199254740992e0", "9007199254740992"),
    ] {
      let row = try Self.row("{\"text\": \"a\", \"label\": \(number)}")
      #expect(row.target == .label(digits), "\(number)")
    }
    for long in [String(repeating: "7", count: 60), "1e30", "9007199254740993e0", "1e400"] {
      #expect(throws: DataRowProblem.numberTooLong) {
        try Self.row("{\"text\": \"a\", \"label\": \(long)}")
      }
    }
    for wrong in ["0.5", "1.00000000000000000001", "1e-400", "true", "[]", "{}"] {
      #expect(throws: DataRowProblem.wrong(field: "label", expected: "a string or a whole number"))
      {
        try Self.row("{\"text\": \"a\", \"label\": \(wrong)}")
      }
    }
    // As it was given, spaces and case too.
    #expect(try Self.row(#"{"text": "a", "label": " Yes "}"#).target == .label(" Yes "))
  }

  @Test func nullIsAbsent() throws {
    let row = try Self.row(
      #"{"text": "a", "text_pair": null, "label": null}"#, labelled: false)
    #expect(row == DataRow(line: 1, input: .text("a")))
    #expect(throws: DataRowProblem.missing(field: "label", expected: "a string or a whole number"))
    {
      try Self.row(#"{"text": "a", "label": null}"#)
    }
    #expect(throws: DataRowProblem.missing(field: "text", expected: "a string")) {
      try Self.row(#"{"text": null, "label": "a"}"#)
    }
  }

  /// As where a classifier's rows are all of one label.
  @Test func rowsThatTagNothingAreRefused() throws {
    let untagged = DataSet(
      path: "rows",
      rows: (1...3).map {
        DataRow(line: $0, input: .words(["a", "b"]), target: .tags(["O", "O"]))
      })
    for labels in [[], ["O", "B-X"]] {
      let spec = Self.spec(labels, task: .tag)
      let error = #expect(throws: DataSetError.self) {
        try LabelPlan(untagged, spec: spec, isTrained: false, startsAnew: false)
      }
      #expect(error.map { "\($0)" }?.contains("every tag is O") == true)
    }
  }

  @Test func canonicalTwinsAreRefusedWithBothLines() throws {
    let (composed, decomposed) = ("caf\u{E9}", "cafe\u{301}")
    let data = Self.data(["x", composed, "x", composed, decomposed])
    let error = #expect(throws: DataSetError.self) { try LabelSet(of: data, task: .classify) }
    let text = error.map { "\($0)" } ?? ""
    #expect(
      text.contains("line 5") && text.contains("line 2") && text.contains("canonical"), "\(text)")
    // Declared in one form, given in the other.
    let known = Self.spec([composed, "x"])
    let other = #expect(throws: DataSetError.self) {
      try LabelPlan(Self.data(["x", decomposed]), spec: known, isTrained: false, startsAnew: false)
    }
    #expect("\(other.map { "\($0)" } ?? "")".contains("line 2"))
    let base = Configuration(
      vocabularySize: 9, hiddenSize: 4, layerCount: 1, headCount: 1, intermediateSize: 4,
      maxPositions: 200)
    #expect(throws: SpecProblem.canonicalTwins(decomposed)) {
      try Self.spec([composed, decomposed]).check(base: base)
    }
    #expect(throws: SpecProblem.labelTwice("a")) {
      try Self.spec(["a", "b", "a"]).check(base: base)
    }
  }

  @Test func declaredLabelsStayInTheirOrder() throws {
    let declared = Self.spec(["positive", "neutral", "negative"])
    let plan = try LabelPlan(
      Self.data(["negative", "positive"]), spec: declared, isTrained: false, startsAnew: false)
    #expect(plan.labels.names == ["positive", "neutral", "negative"] && plan.unseen == ["neutral"])
    // Once more with the same rows, and then with all.
    let trained = Self.spec(declared.labels, unseen: plan.unseen)
    let again = try LabelPlan(
      Self.data(["negative", "positive"]), spec: trained, isTrained: true, startsAnew: false)
    #expect(again.labels.names == declared.labels && again.unseen == ["neutral"])
    let all = try LabelPlan(
      Self.data(["neutral", "negative", "positive"]), spec: trained, isTrained: true,
      startsAnew: false)
    #expect(all.unseen.isEmpty)
    let unknown = #expect(throws: DataSetError.self) {
      try LabelPlan(
        Self.data(["negative", "positve"]), spec: declared, isTrained: false, startsAnew: false)
    }
    let text = "\(unknown.map { "\($0)" } ?? "")"
    #expect(text.contains("line 2") && text.contains("positve") && text.contains("\"neutral\""))
  }

  /// 27 intents do not become 2 by a wrong file.
  @Test func whatWasLearntIsNotForgotten() throws {
    let intents = (0..<27).map { "intent \($0)" }
    let trained = Self.spec(intents)
    let two = Self.data(Array(intents.prefix(2)))
    let error = #expect(throws: DataSetError.self) {
      try LabelPlan(two, spec: trained, isTrained: true, startsAnew: false)
    }
    #expect("\(error.map { "\($0)" } ?? "")".contains("25 of the vBERT's 27 labels"))
    #expect(throws: DataSetError.self) {
      try LabelPlan(Self.data(["yes", "no"]), spec: trained, isTrained: true, startsAnew: false)
    }
    let renewed = try LabelPlan(two, spec: trained, isTrained: true, startsAnew: true)
    #expect(renewed.labels.names == Array(intents.prefix(2)) && renewed.unseen.isEmpty)
    // A label that was never learnt cannot be forgotten; one that was can.
    let partly = Self.spec(["a", "b", "c", "d"], unseen: ["d"])
    #expect(
      try LabelPlan(Self.data(["a", "b", "c"]), spec: partly, isTrained: true, startsAnew: false)
        .unseen == ["d"])
    #expect(throws: DataSetError.self) {
      try LabelPlan(Self.data(["a", "b", "d"]), spec: partly, isTrained: true, startsAnew: false)
    }
  }

  @Test func noLabelAtAllIsSaid() throws {
    let rows = [DataRow(line: 1, input: .text("a"), target: .labels([]))]
    let error = #expect(throws: DataSetError.self) {
      try LabelSet(of: DataSet(path: "rows", rows: rows), task: .multilabel)
    }
    #expect(error.map { "\($0)" } == "rows holds no label")
  }

  @Test func aTaggersOutsideIsFirstAndNeedsNoRow() throws {
    let rows = [DataRow(line: 1, input: .words(["a", "b"]), target: .tags(["B-X", "I-X"]))]
    let data = DataSet(path: "rows", rows: rows)
    let found = try LabelSet(of: data, task: .tag)
    #expect(found.names == ["O", "B-X", "I-X"])
    let spec = Self.spec(found.names, task: .tag)
    #expect(try LabelPlan(data, spec: spec, isTrained: true, startsAnew: false).unseen.isEmpty)
  }

  /// Specifications of before have no such member, and read as before.
  @Test func olderSpecificationsRead() throws {
    let json = Data(
      #"{"task":"classify","base":"b","baseHash":"","adapter":"none","pooling":"mean","labels":["a"],"maxLength":9}"#
        .utf8)
    let spec = try JSONDecoder().decode(VBertSpec.self, from: json)
    #expect(spec.unseenLabels == nil)
    let written = String(decoding: try JSONEncoder().encode(spec), as: UTF8.self)
    #expect(!written.contains("unseenLabels"))
  }
}
