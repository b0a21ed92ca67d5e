import Foundation
import Model
import TestSupport
import Testing
import Trainer

@Suite struct DataSetTests {
  /// Writes a file, reads it as a data set, and takes the file away.
  private func read(_ text: String, _ task: VBertTask, labelled: Bool = true) throws -> DataSet {
    let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).jsonl")
    try Data(text.utf8).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    return try DataSet(path: url.path(), task: task, labelled: labelled)
  }

  private func message(_ text: String, _ task: VBertTask) -> String {
    do {
      _ = try read(text, task)
      return "no error"
    } catch { return "\(error)" }
  }

  /// A bound on bytes is one of all lines together, and of what is unpacked.
  @Test func rowsThatFitTheMemory() throws {
    let url = FileManager.default.temporaryDirectory.appending(path: "\(UUID().uuidString).jsonl")
    let row = #"{"text": "a", "label": "x"}"#
    try Data("\(row)\n\n\(row)\n".utf8).write(to: url)
    defer { try? FileManager.default.removeItem(at: url) }
    func read(_ limit: Int) throws -> Int {
      try DataSet(path: url.path(), task: .classify, labelled: true, byteLimit: limit).rows.count
    }
    #expect(try read(2 * (row.utf8.count + 64)) == 2)
    let error = #expect(throws: DataSetError.self) { try read(2 * (row.utf8.count + 64) - 1) }
    #expect("\(String(describing: error))".contains("raise --memory"))
  }

  @Test func rowsOfEveryTask() throws {
    let classify = try read(
      """
      {"text": "a", "label": "x"}

      {"text": "b", "text_pair": "c", "label": 7, "more": [1]}\r
      """, .classify)
    #expect(classify.rows.map(\.line) == [1, 3])
    #expect(classify.rows.map(\.input) == [.text("a"), .pair("b", "c")])
    #expect(classify.rows.map(\.target) == [.label("x"), .label("7")])
    let many = try read(#"{"text": "a", "labels": ["x", "y"]}"#, .multilabel)
    #expect(many.rows[0].target == .labels(["x", "y"]))
    let numbers = try read(
      #"{"text": "a", "labels": [3, "x", 9007199254740993]}"#, .multilabel)
    #expect(numbers.rows[0].target == .labels(["3", "x", "9007199254740993"]))
    let none = try read(#"{"text": "a", "labels": []}"#, .multilabel)
    #expect(none.rows[0].target == .labels([]))
    let score = try read(#"{"text": "a", "text_pair": "b", "score": 2.5}"#, .score)
    #expect(score.rows[0].target == .score(2.5))
    let tags = try read(#"{"tokens": ["New", "York"], "tags": ["B-LOC", "I-LOC"]}"#, .tag)
    #expect(tags.rows[0].target == .tags(["B-LOC", "I-LOC"]))
    // A tagger may be asked of a text; it learns from words.
    let running = try read(#"{"text": "New York"}"#, .tag, labelled: false)
    #expect(running.rows[0].input == .running("New York") && running.rows[0].target == nil)
    #expect(
      message(#"{"text": "New York", "tags": ["O"]}"#, .tag).contains("\"tokens\" is missing"))
    let unlabelled = try read(#"{"text": "a"}"#, .classify, labelled: false)
    #expect(unlabelled.rows[0].target == nil)
  }

  @Test(arguments: [
    (
      "{\"text\": \"a\"", VBertTask.classify,
      "it is not valid JSON: it ends too early at column 13; every line must be one JSON object"
    ),
    ("{\"text\": \"a\", \"label\": \"x\",}", .classify, "expected '\"' at column 28"),
    ("{\"text\": \"a\" \"label\": \"x\"}", .classify, "expected ',' or '}' at column 14"),
    ("{\"text\": \"\\ud800\", \"label\": \"x\"}", .classify, "half a character"),
    ("{\"text\": \"a\", \"label\": 01}", .classify, "a number must not begin with 0 at column 24"),
    ("{\"text\": NaN, \"label\": \"x\"}", .classify, "expected a value at column 10"),
    ("{} {}", .classify, "more behind the end at column 4"),
    (
      "{\"text\": \"a\", \"label\": \"x\", \"label\": \"y\"}", .classify,
      "line 3: the member \"label\" is there twice in one object (again at column 29); keep one"
    ),
    // Whichever of them counts, and where they are not asked for.
    ("{\"text\": \"a\", \"label\": \"x\", \"label\": null}", .classify, "\"label\" is there twice"),
    (
      "{\"text\": \"a\", \"label\": \"x\", \"\\u0074ext\": \"a\"}", .classify,
      "\"text\" is there twice"
    ),
    (
      "{\"text\": \"a\", \"label\": \"x\", \"m\": {\"i\": 1, \"i\": 1}}", .classify,
      "\"i\" is there twice"
    ),
    (
      "{\"tokens\": [\"a\"], \"tags\": [\"O\"], \"tags\": [\"O\"]}", .tag, "\"tags\" is there twice"
    ),
    ("{\"text\": \"a\", \"score\": 1, \"score\": 2}", .score, "\"score\" is there twice"),
    (
      "{\"text\": \"a\", \"labels\": [], \"labels\": [\"x\"]}", .multilabel,
      "\"labels\" is there twice"
    ),
    ("[1]", .classify, "not a JSON object"),
    ("{\"label\": \"x\"}", .classify, "\"text\" is missing"),
    ("{\"text\": 1, \"label\": \"x\"}", .classify, "\"text\" is not a string"),
    ("{\"text\": \"a\"}", .classify, "\"label\" is missing"),
    ("{\"text\": \"a\", \"label\": \"\"}", .classify, "\"label\" is empty"),
    ("{\"text\": \"a\", \"label\": true}", .classify, "\"label\" is not a string"),
    ("{\"text\": \"a\", \"label\": 1.5}", .classify, "\"label\" is not a string or a whole number"),
    ("{\"text\": \"a\", \"label\": null}", .classify, "\"label\" is missing"),
    ("{\"text\": \"a\", \"text_pair\": 3, \"label\": \"x\"}", .classify, "\"text_pair\" is not"),
    ("{\"text\": \"a\", \"labels\": \"x\"}", .multilabel, "\"labels\" is not a list"),
    ("{\"text\": \"a\", \"labels\": [true]}", .multilabel, "\"labels\" is not a list"),
    ("{\"text\": \"a\", \"labels\": [1.5]}", .multilabel, "\"labels\" is not a list"),
    ("{\"text\": \"a\", \"labels\": [1, \"\"]}", .multilabel, "\"labels\" is empty"),
    ("{\"text\": \"a\", \"score\": \"1\"}", .score, "\"score\" is not a number"),
    ("{\"text\": \"a\", \"score\": true}", .score, "\"score\" is not a number"),
    ("{\"text\": \"a\", \"score\": 1e999}", .score, "\"score\" is 1e999; at most 10000.0"),
    ("{\"text\": \"a\", \"score\": -10001}", .score, "\"score\" is -10001.0; at most 10000.0"),
    ("{\"tokens\": [], \"tags\": []}", .tag, "\"tokens\" is empty"),
    ("{\"tokens\": [\"a\"], \"tags\": [0]}", .tag, "\"tags\" are numbers; write their names"),
    ("{\"tokens\": [\"a\"], \"tags\": [true]}", .tag, "\"tags\" is not a list of strings"),
    ("{\"tokens\": [\"a\"], \"tags\": []}", .tag, "1 tokens but 0 tags"),
    ("\u{FFFD}", .classify, "not valid JSON"),
  ])
  func brokenRowSaysWhere(_ row: String, _ task: VBertTask, _ what: String) throws {
    let good =
      [
        .classify: #"{"text": "a", "label": "x"}"#, .multilabel: #"{"text": "a", "labels": ["x"]}"#,
        .score: #"{"text": "a", "score": 1}"#, .tag: #"{"tokens": ["a"], "tags": ["O"]}"#,
      ][task] ?? ""
    let message = message("\(good)\n\(good)\n\(row)\n\(good)\n", task)
    #expect(message.contains("line 3: "))
    #expect(message.contains(what), "\(message)")
  }

  @Test func emptyFile() {
    #expect(message("", .classify).contains("no rows"))
    #expect(message("\n \n", .classify).contains("no rows"))
  }

  @Test func labelsAreSortedByBytesAndOutsideComesFirst() throws {
    let rows = [["B-A", "O"], ["I-é", "B-A"]].enumerated().map {
      DataRow(line: $0 + 1, input: .words(["a", "b"]), target: .tags($1))
    }
    let set = try LabelSet(of: DataSet(path: "", rows: rows), task: .tag)
    #expect(set.names == ["O", "B-A", "I-é"])
    #expect(set.number("B-A") == 1)
    #expect(set.number("I-e\u{301}") == nil)
  }

  @Test func oneLabelIsTooFew() {
    let rows = [DataRow(line: 1, input: .text("a"), target: .label("x"))]
    #expect(throws: DataSetError.self) {
      try LabelSet(of: DataSet(path: "", rows: rows), task: .classify)
    }
  }

  @Test func fuzzedBytesNeverTrap() {
    Fuzz.run { random, seed in
      let task = VBertTask.allCases.randomElement(using: &random) ?? .classify
      var bytes = Array(
        #"{"text": "a", "text_pair": "b", "label": "x", "labels": ["y"], "score": 1, "tokens": ["t"], "tags": ["O"]}"#
          .utf8)
      random.mutate(&bytes)
      // Whatever it says: a row, or a problem that can be described.
      do {
        let row = try DataRow(json: bytes, line: 1, task: task, labelled: true)
        #expect(row.line == 1)
      } catch { #expect(!"\(error)".isEmpty, "seed \(seed)") }
    }
  }
}
