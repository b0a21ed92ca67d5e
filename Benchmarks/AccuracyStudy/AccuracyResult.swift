package import Trainer

/// How good one way to customise a base was on one task's test rows.
package struct AccuracyResult: Sendable, Equatable, Codable {
  package var task: String
  package var kind: AccuracyTask.Kind
  /// The column: what was compared.
  package var method: String
  package var seed: UInt64
  /// accuracy, span_f1 or pearson, 0...1.
  package var metric: String
  package var value: Double
  /// The best epoch's score on dev rows: what a rate may be chosen by. nil in logs of before.
  package var dev: Double?
  package var trainRows: Int
  package var testRows: Int
  package var epochs: Int
  package var seconds: Double
  /// Of a study of few rows: how many, and which draw of them; nil for a whole training set.
  package var cell: FewRowsCell?
  package var draw: Int?

  package init(
    task: AccuracyTask, method: String, seed: UInt64, outcome: AccuracyTrial.Outcome,
    rows: AccuracyRows,
    scores: Scores, seconds: Double
  ) {
    self.task = task.name
    kind = task.kind
    self.method = method
    self.seed = seed
    metric = scores.primary
    value = scores.value
    dev = outcome.dev
    trainRows = rows.train.count
    testRows = rows.test.count
    epochs = outcome.epochs
    self.seconds = seconds
  }

  package init(
    task: AccuracyTask, method: String, cell: FewRowsCell, draw: AccuracyTrial.Draw,
    outcome: AccuracyTrial.FewRowsOutcome, testRows: Int
  ) {
    self.task = task.name
    kind = task.kind
    self.method = method
    (self.cell, self.draw, seed) = (cell, draw.number, draw.seed)
    metric = outcome.scores.primary
    value = outcome.scores.value
    dev = outcome.dev
    trainRows = draw.rows.count
    self.testRows = testRows
    epochs = outcome.epochs
    seconds = outcome.seconds
  }
}
