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
}
