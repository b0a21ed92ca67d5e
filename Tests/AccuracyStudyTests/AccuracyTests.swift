import Foundation
import Model
import TestSupport
import Testing
import Trainer

@testable import AccuracyStudy

/// Tables of results, and the log that a study goes on from.
@Suite struct AccuracyTests {
  private func result(_ task: String, _ method: String, _ value: Double, seed: UInt64 = 1)
    throws -> AccuracyResult
  {
    let json = """
      {"task":"\(task)","kind":"\(task.hasPrefix("n") ? "ner" : "cls")","method":"\(method)",
       "seed":\(seed),"metric":"accuracy","value":\(value),"trainRows":10,"testRows":5,"epochs":2,
       "seconds":1.5}
      """
    return try JSONDecoder().decode(AccuracyResult.self, from: Data(json.utf8))
  }

  @Test func tableComparesWithTheFirstMethod() throws {
    let table = AccuracyTable(
      [
        try result("a", "full", 0.8), try result("a", "full", 0.9, seed: 2),
        try result("a", "skip", 0.84), try result("b", "full", 0.5), try result("b", "skip", 0.55),
        try result("c", "skip", 0.1), try result("n1", "full", 0.7), try result("n1", "skip", 0.66),
      ], methods: ["full", "skip", "none"])
    #expect(table.rows.map(\.task) == ["a", "b", "c", "n1"])
    #expect(table.rows[0].seeds == 2 && table.rows[2].values[0] == nil)
    let skip = try #require(table.summaries.first { $0.kind == .cls && $0.method == "skip" })
    // (85 - 84 + 50 - 55) / 2; task c has nothing to compare with.
    #expect(skip.tasks == 2 && abs(skip.loss + 2) < 1e-9)
    #expect(abs(skip.worst - 1) < 1e-9 && skip.worstTask == "a")
    #expect(table.markdown.contains("| tagging | skip | 1 | 66.0 | 4.0 | 4.0 | n1 |"))
    #expect(table.markdown.contains("| a | accuracy | 5 | 2 | 85.0 | 84.0 |  |"))
    // All have five test rows.
    #expect(
      AccuracyTable([try result("a", "full", 1)], methods: ["full"], leastTest: 6).summaries == [])
    #expect(AccuracyTable.short(-0.04) == "0.0" && AccuracyTable.short(-2.34) == "-2.3")
    #expect(table.picture.hasPrefix("<svg") && table.picture.contains("n1"))
  }

  @Test func logGoesOnAndDropsAHalfLine() throws {
    let path = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString).path()
    let log = try AccuracyLog(path: path)
    try log.append(try result("a", "full", 0.8))
    let handle = try FileHandle(forWritingTo: URL(filePath: path))
    try handle.seekToEnd()
    try handle.write(contentsOf: Data("{\"task\":\"b".utf8))
    let again = try AccuracyLog(path: path)
    #expect(again.results.count == 1)
    let task = AccuracyTask(kind: .cls, name: "a", directory: URL(filePath: "/"))
    #expect(again.has(task, "full", seed: 1) && !again.has(task, "full", seed: 2))
    try again.append(try result("b", "full", 0.5))
    #expect(try AccuracyLog(path: path).results.map(\.task) == ["a", "b"])
    try Data("{}\n".utf8).write(to: URL(filePath: path))
    #expect(throws: AccuracyError.damagedLog(path, line: 1)) { try AccuracyLog(path: path) }
  }

  /// Whole tasks are compared in the scheme of their training rows, and not across schemes.
  @Test func accuracyTasksHaveTheSchemeOfTheirTraining() throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: UUID().uuidString)
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "the", "cat", "runs"]
    let tokenizer = try WordPiece(
      tokenizerJSON: nil, vocabulary: Array((words.joined(separator: "\n") + "\n").utf8),
      configuration: nil)
    let base = Configuration(
      vocabularySize: words.count, hiddenSize: 24, layerCount: 3, headCount: 3,
      intermediateSize: 40, maxPositions: 16)
    func rows(test: String) throws -> AccuracyRows {
      for (part, tags) in [("train", #""B-A", "E-A", "S-B""#), ("test", test)] {
        let row = #"{"tokens": ["the", "cat", "runs"], "tags": [\#(tags)]}"#
        try Data(row.utf8).write(to: folder.appending(path: "\(part).jsonl"))
      }
      return try AccuracyRows(
        AccuracyTask(kind: .ner, name: "t", directory: folder), caps: AccuracyRows.Caps(),
        maxLength: 16, tokenizer: tokenizer, base: base)
    }
    let good = try rows(test: #""S-B", "O", "S-B""#)
    #expect(good.spec.tagScheme == TagScheme(.bioes) && good.test.count == 1)
    // Rows with labels that training lacks are left out; other schemes are refused.
    #expect(try rows(test: #""S-A", "O", "O""#).test.count == 0)
    #expect(throws: DataSetError.self) { try rows(test: #""B-A", "I-A", "L-A""#) }
  }
}
