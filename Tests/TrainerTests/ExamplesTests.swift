import Model
import Testing

@testable import Trainer

@Suite struct ExamplesTests {
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
