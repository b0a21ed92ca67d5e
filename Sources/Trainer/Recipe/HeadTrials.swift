import Compute
import Model

/// Rows to learn a head from, and rows to see how good it is.
struct HeadSplit: Sendable {
  var learnt: [Int]
  var held: [Int]

  init(learnt: [Int], held: [Int]) { (self.learnt, self.held) = (learnt, held) }

  init(_ folds: Folds, without fold: Int) {
    self.init(learnt: folds.learnt(without: fold), held: folds.held(in: fold))
  }
}

/// What came of one way to find a vBERT's head.
struct HeadTrial {
  let candidate: HeadCandidate
  /// Of each split.
  let heads: [HeadSolution]
  /// Of each row that some split held out what the split's head says of it; others are empty.
  let held: [[Float]]
  /// Of the same rows, in their order.
  let quality: [Double]
}

/// Finds heads of many vBERTs, each with all its ways and splits, in the same calls.
struct HeadTrials {
  let backend: any TrainableBackend

  /// What is to be tried of one vBERT: every candidate on every split.
  struct Question {
    var rows: HeadRows
    var candidates: [HeadCandidate]
    var splits: [HeadSplit]
  }

  /// Of each question the trials of its candidates, in order.
  func run(
    _ questions: [Question], report: (Int) -> Void = { _ in }
  ) throws(ComputeError) -> [[HeadTrial]] {
    var problems: [HeadProblem] = []
    for question in questions {
      let table = try question.rows.table(backend)
      for candidate in question.candidates {
        for split in question.splits {
          problems.append(
            try question.rows.problem(candidate, learnt: split.learnt, table, backend))
        }
      }
    }
    var heads = try HeadFit(backend).solve(problems, report: report)[...]
    return questions.map { question in
      question.candidates.map { candidate in
        let found = Array(heads.prefix(question.splits.count))
        heads = heads.dropFirst(found.count)
        return trial(question, candidate, found)
      }
    }
  }

  private func trial(
    _ question: Question, _ candidate: HeadCandidate, _ heads: [HeadSolution]
  ) -> HeadTrial {
    let rows = question.rows
    var held = [[Float]](repeating: [], count: rows.rows.count)
    for (split, head) in zip(question.splits, heads) {
      for row in split.held { held[row] = rows.outputs(of: row, by: head) }
    }
    let quality = held.enumerated().filter { !$0.element.isEmpty }.map {
      rows.quality(of: $0.offset, $0.element)
    }
    return HeadTrial(candidate: candidate, heads: heads, held: held, quality: quality)
  }
}
