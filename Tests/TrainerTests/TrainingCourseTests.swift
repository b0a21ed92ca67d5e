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

  /// While nothing was scored there is nothing to be patient with.
  @Test func patienceBeginsWithTheFirstScore() throws {
    let spec = VBertSpec(
      task: .classify, base: "b", baseHash: "", adapter: .none, labels: ["a", "b"], maxLength: 16)
    let world = try TrainingJobTests.World(skip: 0)
    let examples = try Examples(
      DataSet(path: "t", rows: [DataRow(line: 1, input: .text("a"), target: .label("a"))]),
      spec: spec,
      labels: LabelSet(["a", "b"]), tokenizer: world.tokenizer, base: world.configuration)
    func course(_ margins: [Float]) throws -> TrainingCourse {
      var options = TrainingOptions()
      (options.epochs, options.patience) = (9, 2)
      var course = TrainingCourse(rows: 1, options: options, random: SplitMix(seed: 1))
      for margin in margins where !course.isOver {
        _ = course.next()
        _ = course.end(Scores(examples, spec: spec, logits: [[margin, 0]]))
      }
      return course
    }
    let late = try course([-1, -1, -1, -1, 2, 1, 1, 1])
    #expect(late.epochs.count == 7 && late.isOver && late.best?.number == 5)
    // What was learnt and lost again is waited for as ever.
    let lost = try course([2, -1, -1, -1])
    #expect(lost.epochs.count == 3 && lost.isOver)
    #expect(try course([-1, -1, -1, -1, -1, -1, -1, -1, -1]).epochs.count == 9)
  }
}
