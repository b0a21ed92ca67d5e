import Foundation
import Model
import Testing

@testable import Trainer

/// Which epoch of a run is best, and when a run ends.
@Suite struct TrainingCourseTests {
  @Test func epochsThatScoreAlikeAreToldApartByLoss() throws {
    let rows = [DataRow(line: 1, input: .text("the cat"), target: .label("a"))]
    let spec = VBertSpec(
      task: .classify, base: "", baseHash: "", adapter: .none, labels: ["a", "b"], maxLength: 16)
    let examples = try Examples(
      DataSet(path: "", rows: rows), spec: spec, labels: LabelSet(["a", "b"]),
      tokenizer: TrainingJobTests.World(skip: 0).tokenizer,
      base: TrainingJobTests.World(skip: 0).configuration)
    var options = TrainingOptions()
    (options.epochs, options.patience) = (9, 3)
    var course = TrainingCourse(rows: 1, options: options, random: SplitMix(seed: 1))
    // The margin of the right label; below 0 it is wrong.
    let margins: [Float] = [-1, 1, 3, 2, 9]
    for (number, margin) in margins.enumerated() where !course.isOver {
      _ = course.next()
      try course.add(1)
      let scores = Scores(examples, spec: spec, logits: [[margin, 0]])
      #expect(abs(scores.loss - log1p(exp(-Double(margin)))) < 1e-6)
      #expect(course.end(scores).isBest == [true, true, true, false, true][number])
    }
    // The score was last better in epoch 2.
    #expect(course.epochs.count == 5 && course.best?.number == 5)
  }
}
