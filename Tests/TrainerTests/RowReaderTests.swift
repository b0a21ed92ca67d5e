import Foundation
import Model
import TestSupport
import Testing
import Trainer

/// Rows are read as requests are: the same words, the same refusals.
@Suite struct RowReaderTests {
  typealias World = TrainingJobTests.World

  private func reader(cut: Bool, length: Int = 8, side: TruncationSide = .right) throws -> (
    RowReader, World
  ) {
    let world = try World(skip: 0)
    let spec = VBertSpec(
      task: .tag, base: "b", baseHash: "", adapter: .none, labels: ["O"], maxLength: length)
    return (
      RowReader(
        spec: spec, tokenizer: world.tokenizer, base: world.configuration, cut: cut, side: side),
      world
    )
  }

  private func problem(_ input: TextInput, cut: Bool = false) throws -> DataRowProblem? {
    var (reader, _) = try reader(cut: cut)
    let data = DataSet(path: "rows", rows: [DataRow(line: 3, input: input)])
    let result = Result { try reader.read(data.rows[0], of: data) }
    guard case .failure(let error) = result else { return nil }
    guard let error = error as? DataSetError, case .row(let path, let line, let problem) = error
    else { throw error }
    #expect(path == "rows" && line == 3)
    return problem
  }

  @Test func emptyAndLongRows() throws {
    let words = Array(repeating: "the", count: 9)
    let text = words.joined(separator: " ")
    let long = DataRowProblem.text(.tooLong(tokens: 11, isExact: true, most: 8))
    for input in [TextInput.text(text), .words(words), .running(text)] {
      #expect(try problem(input) == long)
      #expect(try problem(input, cut: true) == nil)
    }
    for input in [TextInput.text(""), .running(""), .words([]), .pair("", "")] {
      #expect(try problem(input) == .text(.empty))
      #expect(try problem(input, cut: true) == .text(.empty))
    }
    #expect(long.description.contains("--truncate"))
  }

  /// Words that are given and words that are found are the same tokens; the places of the found ones are
  /// the text's.
  @Test(arguments: [TruncationSide.right, .left])
  func givenAndFoundWordsAreRead(side: TruncationSide) throws {
    var (reader, _) = try reader(cut: true, length: 6, side: side)
    let data = DataSet(path: "rows", rows: [])
    let words = ["the", "cat", "runs", "the", "dog", "sleeps"]
    let (given, tokens) = try reader.read(DataRow(line: 1, input: .words(words)), of: data)
    let text = words.joined(separator: "  ")
    let (found, same) = try reader.read(DataRow(line: 1, input: .running(text)), of: data)
    #expect(tokens.ids == same.ids && tokens.count == 6)
    #expect(given.words.map(\.text) == words && found.words.map(\.text) == words)
    #expect(given.firstTokens == found.firstTokens)
    #expect(given.firstTokens.count { $0 != nil } == 4)
    #expect((given.firstTokens[0] == nil) == (side == .left))
    #expect(found.words[1].span == TextSpan(start: 5, end: 8))
  }
}
