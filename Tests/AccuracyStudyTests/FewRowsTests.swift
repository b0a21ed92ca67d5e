import Foundation
import Model
import TestSupport
import Testing
import Trainer

@testable import AccuracyStudy

/// Few rows: which are drawn, what is learnt from, what the table and its picture say.
@Suite struct FewRowsTests {
  /// 61 rows of label 0, 30 of label 1, 6 of label 2.
  private static let labels = (0..<97).map { $0 % 14 == 13 ? 2 : $0 % 3 == 2 ? 1 : 0 }
  private static let targets = labels.map { Examples.Target.label(Int32($0)) }

  /// Benchmarks/test_few_rows.py holds the peers' draws to the same numbers.
  @Test func drawsAreThoseOfThePeers() {
    func drawn(_ cell: FewRowsCell, _ draw: UInt64) -> [Int] {
      cell.rows(draw: draw, of: Self.targets)
    }
    #expect(drawn(.perClass(3), 1) == [59, 34, 64, 57, 29, 56, 55, 27, 83])
    #expect(drawn(.perClass(3), 2) == [67, 96, 23, 32, 74, 72, 69, 41, 27])
    #expect(drawn(.inAll(10), 1) == [59, 34, 64, 57, 29, 78, 56, 76, 73, 91])
    #expect(drawn(.inAll(10), 5) == [29, 84, 5, 70, 88, 82, 47, 54, 14, 93])
  }

  @Test func aClassGivesWhatItHas() {
    let found = FewRowsCell.perClass(8).rows(draw: 3, of: Self.targets).map { Self.labels[$0] }
    #expect((0..<3).map { label in found.count { $0 == label } } == [8, 8, 6])
    #expect(FewRowsCell.inAll(200).rows(draw: 3, of: Self.targets).sorted() == Array(0..<97))
    // Rows without one label are of one class.
    let scores = [Examples.Target](repeating: .score(1), count: 9)
    #expect(FewRowsCell.perClass(4).rows(draw: 1, of: scores).count == 4)
    #expect(FewRowsCell.inAll(4).rows(draw: 1, of: []) == [])
  }

  @Test func cellsAreWrittenAndRead() {
    for cell in [FewRowsCell.perClass(8), .inAll(100), .inAll(1)] {
      #expect(FewRowsCell(cell.description) == cell)
    }
    #expect(FewRowsCell("8/class") == .perClass(8) && FewRowsCell("300") == .inAll(300))
    for text in ["", "0", "-1", "8/", "/class", "8/class/class", "1e3", "100001", " 8", "100n"] {
      #expect(FewRowsCell(text) == nil, "\(text)")
    }
    #expect(
      [.inAll(50), .perClass(32), .inAll(300), .perClass(8)].sorted()
        == [FewRowsCell.perClass(8), .perClass(32), .inAll(50), .inAll(300)])
  }

  /// What is kept back for choosing is not learnt from; one row is all that there is.
  @Test func rowsKeptBackAreNotLearntFrom() throws {
    let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"] + (0..<30).map { "w\($0)" }
    let tokenizer = try WordPiece(
      tokenizerJSON: nil, vocabulary: Array((words.joined(separator: "\n") + "\n").utf8),
      configuration: nil)
    let base = Configuration(
      vocabularySize: words.count, hiddenSize: 24, layerCount: 3, headCount: 3,
      intermediateSize: 40, maxPositions: 16)
    let spec = VBertSpec(task: .classify, base: "", baseHash: "", adapter: .none, labels: ["a"])
    let data = DataSet(
      path: "",
      rows: (0..<30).map { .init(line: $0 + 1, input: .text("w\($0)"), target: .label("a")) })
    let rows = try Examples(
      data, spec: spec, labels: LabelSet(["a"]), tokenizer: tokenizer, base: base)
    for count in [1, 2, 9, 10, 11, 30] {
      let (train, dev) = AccuracyTrial.keptBack(
        rows.rows(Array(0..<count)), TrainingOptions())
      let (learnt, kept) = (Set(train.sequences.map(\.ids)), Set(dev.sequences.map(\.ids)))
      #expect(kept.count == (count + 9) / 10 && learnt.count == max(1, count - kept.count))
      #expect(learnt.union(kept).count == count)
    }
  }

  // MARK: Results

  private func result(
    _ task: String, _ method: String, _ cell: String?, _ draw: Int, _ value: Double,
    kind: String = "cls", testRows: Int = 1500
  ) throws -> AccuracyResult {
    let place = cell.map { #""cell":"\#($0)","draw":\#(draw),"# } ?? ""
    let json = """
      {"task":"\(task)","kind":"\(kind)","method":"\(method)",\(place)"seed":\(draw),
       "metric":"accuracy","value":\(value),"trainRows":24,"testRows":\(testRows),"epochs":2,
       "seconds":\(draw)}
      """
    return try JSONDecoder().decode(AccuracyResult.self, from: Data(json.utf8))
  }

  /// Two tasks that both methods have at 8 a class, one that only the first has.
  private func results() throws -> [AccuracyResult] {
    [
      try result("a", "lr", "8/class", 1, 0.5), try result("a", "lr", "8/class", 2, 0.6),
      try result("a", "us", "8/class", 1, 0.7), try result("a", "us", "8/class", 2, 0.66),
      // Of three draws the first has two.
      try result("a", "us", "8/class", 3, 0.1),
      try result("b", "lr", "8/class", 1, 0.8), try result("b", "lr", "8/class", 2, 0.8),
      try result("b", "us", "8/class", 1, 0.78), try result("b", "us", "8/class", 2, 0.78),
      try result("c", "lr", "8/class", 1, 0.2), try result("c", "lr", "8/class", 2, 0.4),
      try result("a", "lr", "100", 1, 0.9), try result("a", "us", "100", 1, 0.9),
      // A whole training set, and a method that is not asked for.
      try result("a", "lr", nil, 1, 0.99), try result("a", "else", "100", 1, 0.99),
    ]
  }

  @Test func tableComparesOnTheDrawsThatBothHave() throws {
    let table = FewRowsTable(try results(), methods: ["lr", "us"])
    #expect(table.rows.map(\.task) == ["a", "a", "b", "c"])
    #expect(table.rows.map(\.cell) == [.perClass(8), .inAll(100), .perClass(8), .perClass(8)])
    let first = try #require(table.rows[0].values[0])
    #expect(abs(first.mean - 55) < 1e-9 && abs(first.spread - 50.0.squareRoot()) < 1e-9)
    #expect(first.seconds == 1.5 && first.draws.count == 2 && table.rows[3].values[1] == nil)
    let us = try #require(
      table.summaries.first { $0.method == "us" && $0.cell == .perClass(8) })
    // (68 - 55 + 78 - 80) / 2: without the third draw, and without task c.
    #expect(us.tasks == 2 && abs(us.gain - 5.5) < 1e-9 && abs(us.first - 67.5) < 1e-9)
    #expect(abs(us.worst + 2) < 1e-9 && us.worstTask == "b")
    let lr = try #require(table.summaries.first { $0.method == "lr" })
    #expect(lr.tasks == 3 && lr.gain == 0 && abs(lr.mean - 55) < 1e-9)
    #expect(
      table.markdown.contains(
        "| classification | 8 a class | us | 2 | 73.0 | 67.5 | 5.5 | -2.0 | b |"))
    #expect(table.markdown.contains("| a | 8 a class | accuracy | 1500 | 55.0 ± 7.1 | 48.7 ± "))
    #expect(FewRowsTable(try results(), methods: ["lr"], leastTest: 1501).summaries == [])
    let json = try JSONEncoder().encode(table)
    #expect(String(decoding: json, as: UTF8.self).contains(#""cell":"8\/class""#))
  }

  /// A log of whole training sets and one of few rows are each other's files, not each other's tables.
  @Test func wholeTasksAndFewRowsAreToldApart() throws {
    let table = AccuracyTable(try results(), methods: ["lr", "us"])
    #expect(table.rows.count == 1 && table.rows[0].values[0] == 99)
    let folder = try TemporaryFolder()
    let log = try AccuracyLog(path: folder.file("log.jsonl"))
    for result in try results() { try log.append(result) }
    let read = try AccuracyLog.results(path: folder.file("log.jsonl"))
    #expect(read == log.results)
    let task = AccuracyTask(kind: .cls, name: "a", directory: folder.url)
    #expect(log.has(task, "lr", cell: .inAll(100), seed: 1) && log.has(task, "lr", seed: 1))
    #expect(!log.has(task, "lr", cell: .inAll(100), seed: 2) && !log.has(task, "us", seed: 1))
    try Data(#"{"cell":"8n"}"#.utf8 + [10]).write(to: folder.url.appending(path: "bad.jsonl"))
    #expect(throws: AccuracyError.damagedLog(folder.file("bad.jsonl"), line: 1)) {
      try AccuracyLog.results(path: folder.file("bad.jsonl"))
    }
    #expect(throws: (any Error).self) { try AccuracyLog.results(path: folder.file("none")) }
  }

  @Test func meansAreOverTheSameTasks() throws {
    let table = FewRowsTable(try results(), methods: ["lr", "us", "none"])
    let (means, tasks) = table.panels(.cls, leastTest: 0)
    #expect(means.map(\.title) == ["mean of 3 tasks", "mean of 2 tasks"])
    // Of all three tasks "us" has no mean; at 100 rows only one task was run.
    #expect(means[0].lines.map { $0.map(\.cell) } == [[.perClass(8)], [], []])
    #expect(means[1].lines.map { $0.map { $0.mean.rounded() } } == [[68], [63], []])
    #expect(tasks.map(\.title) == ["a", "b", "c"])
    #expect(tasks[0].lines[1].map(\.cell) == [.perClass(8), .inAll(100)])
    #expect(table.panels(.ner, leastTest: 0).tasks == [])
    let picture = table.picture()
    #expect(picture.hasPrefix("<svg") && picture.hasSuffix("</svg>\n"))
    #expect(
      picture.contains(">mean of 2 tasks<") && picture.contains(">8<") && picture.contains(">100<"))
  }
}
