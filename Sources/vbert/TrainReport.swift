import Manager
import Model
import Trainer

/// What training one vBERT came to.
struct TrainReport: Encodable {
  let name: String
  let version: Int
  let epochs: Int
  let bestEpoch: Int
  let loss: Double
  let metrics: [String: Double]
  let trainRows: Int
  let devRows: Int
  /// Rows that were longer than the vBERT reads.
  let truncatedRows: Int
  /// Of which preparing: reading n-gram rows and computing what no step changes.
  let seconds: Double
  let preparedSeconds: Double
  /// Of the epochs alone.
  let rowsPerSecond: Double
  let tokensPerSecond: Double
  /// How a tagger's data marks entities, in one word; absent for others.
  let tagScheme: TagScheme?
  private let primary: String

  enum CodingKeys: CodingKey {
    case name, version, epochs, bestEpoch, loss, metrics, trainRows, devRows, truncatedRows
    case seconds, preparedSeconds, rowsPerSecond, tokensPerSecond, tagScheme
  }

  init(_ result: TrainingResult, _ trained: TrainingResult.Trained, _ report: TrainingReport) {
    let (outcome, version) = (trained.outcome, trained.version)
    name = version.vbert.text
    self.version = version.id.number
    epochs = outcome.epochs.count
    bestEpoch = outcome.best.number
    loss = outcome.best.loss
    metrics = version.metrics
    tagScheme = outcome.spec.tagScheme
    primary = outcome.best.dev.primary
    trainRows = result.trainRows
    devRows = result.devRows
    truncatedRows = result.truncatedRows
    preparedSeconds = report.preparedSeconds
    seconds = report.preparedSeconds + report.trainedSeconds
    rowsPerSecond = Double(outcome.rows) / max(1e-9, report.trainedSeconds)
    tokensPerSecond = Double(outcome.tokens) / max(1e-9, report.trainedSeconds)
  }

  var text: String {
    "\(name) version \(version): dev \(primary) \(Self.short(metrics["dev_\(primary)"] ?? 0)) "
      + "after epoch \(bestEpoch) of \(epochs); \(trainRows) rows, \(Int(seconds)) s, "
      + "\(Int(rowsPerSecond)) rows/s"
      + (tagScheme.map { "; tags read as \($0)" } ?? "")
      + (truncatedRows > 0 ? "; \(truncatedRows) rows were cut to the maximum length" : "")
  }

  /// Of vBERTs that dev rows show to have learnt nothing: tags that are all O, scores that do not go with the
  /// given ones. The first few.
  static func doubts(_ report: TrainingReport) -> [String] {
    let empty = report.results.compactMap { try? $0.result.get() }.filter {
      $0.outcome.best.dev.value <= 0
    }
    let words = empty.prefix(5).map { trained in
      "\(trained.version.vbert) version \(trained.version.id.number) has learnt nothing that its dev rows show "
        + "(\(trained.outcome.best.dev.primary) \(short(trained.outcome.best.dev.value))): look at the rows, give "
        + "more of them or of --epochs, or a lower --lr; `vbert rollback` lets an older version answer"
    }
    let unchanged = report.results.compactMap { try? $0.result.get() }.filter {
      $0.outcome.best.number == 0
    }.map { trained in
      "\(trained.version.vbert) version \(trained.version.id.number) answers as its base does: on the dev rows no epoch "
        + "was better; give more rows, a lower --lr or another --loss"
    }
    return words + unchanged.prefix(5)
      + (unchanged.count > 5 ? ["so do \(unchanged.count - 5) others"] : [])
      + (empty.count > 5 ? ["so have \(empty.count - 5) others"] : [])
  }

  /// Four digits after the point.
  static func short(_ value: Double) -> String { "\((value * 10_000).rounded() / 10_000)" }
}

/// What training many came to.
struct TrainManyReport: Encodable {
  /// One vBERT's result.
  struct Item: Encodable {
    var name: String
    var version: Int?
    var epochs: Int?
    var metrics: [String: Double]?
    var trainRows: Int
    var error: String?
  }

  var vberts: [Item] = []
  var failed = 0
  /// All together, from the list to the last version published.
  var seconds: Double
  var readSeconds: Double
  var preparedSeconds: Double
  var trainedSeconds: Double
  var publishedSeconds: Double
  var trainedTokens = 0

  init(_ report: TrainingReport) {
    (seconds, readSeconds) = (report.seconds, report.readSeconds)
    (preparedSeconds, trainedSeconds) = (report.preparedSeconds, report.trainedSeconds)
    publishedSeconds = report.publishedSeconds
    for result in report.results {
      var item = Item(name: result.name.text, trainRows: result.trainRows)
      switch result.result {
      case .success(let trained):
        (item.version, item.epochs) = (trained.version.id.number, trained.outcome.epochs.count)
        item.metrics = trained.version.metrics
        trainedTokens += trained.outcome.tokens
      case .failure(let error):
        item.error = "\(error)"
        failed += 1
      }
      vberts.append(item)
    }
  }

  var text: String {
    let failures = vberts.compactMap { result in
      result.error.map { "\(result.name): \($0)\n" }
    }
    return failures.joined()
      + "\(vberts.count - failed) of \(vberts.count) vBERTs trained in \(Int(seconds)) s "
      + "(reading \(Int(readSeconds)) s, preparing \(Int(preparedSeconds)) s, "
      + "training \(Int(trainedSeconds)) s, publishing \(Int(publishedSeconds)) s)"
  }
}
