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
  /// How few rows were learnt, in words; absent for training by epochs.
  let recipe: String?
  private let primary: String
  private let measured: TrainingRecipe.Measure

  enum CodingKeys: CodingKey {
    case name, version, epochs, bestEpoch, loss, metrics, trainRows, devRows, truncatedRows
    case seconds, preparedSeconds, rowsPerSecond, tokensPerSecond, tagScheme, recipe
  }

  init(_ result: TrainingResult, _ trained: TrainingResult.Trained, _ report: TrainingReport) {
    name = result.name.text
    version = trained.version
    epochs = trained.epochs
    bestEpoch = trained.best.number
    loss = trained.best.loss
    metrics = trained.metrics
    tagScheme = trained.tagScheme
    recipe = trained.recipe?.description
    measured = trained.recipe?.measured ?? .dev
    primary = trained.best.dev.primary
    trainRows = result.trainRows
    devRows = result.devRows
    truncatedRows = result.truncatedRows
    preparedSeconds = report.preparedSeconds
    seconds = report.preparedSeconds + report.trainedSeconds
    rowsPerSecond = Double(trained.rows) / max(1e-9, report.trainedSeconds)
    tokensPerSecond = Double(trained.tokens) / max(1e-9, report.trainedSeconds)
  }

  var text: String {
    "\(name) version \(version): \(measured.words) \(primary) "
      + Self.short(metrics["\(measured.rawValue)_\(primary)"] ?? 0)
      + (recipe.map { "; \($0); \(Int(seconds)) s" }
        ?? " of \(devRows) rows after epoch \(bestEpoch) of \(epochs); \(trainRows) rows, \(Int(seconds)) s, "
        + "\(Int(rowsPerSecond)) rows/s")
      + (tagScheme.map { "; tags read as \($0)" } ?? "")
      + (truncatedRows > 0 ? "; \(truncatedRows) rows were cut to the maximum length" : "")
  }

  /// Of vBERTs that dev rows show to have learnt nothing: tags that are all O, scores that do not go with the
  /// given ones. The first few.
  static func doubts(_ report: TrainingReport) -> [String] {
    let empty = report.results.compactMap { result in
      (try? result.result.get()).flatMap { $0.best.dev.saysNothing ? (result.name, $0) : nil }
    }
    let words = empty.prefix(5).map { name, trained in
      "\(name) version \(trained.version) has learnt nothing that "
        + (trained.recipe == nil ? "its dev rows show " : "rows show that were held out ")
        + "(\(trained.best.dev.primary) \(short(trained.best.dev.value))"
        + (trained.best.dev.value > 0 ? ", as always the same label has" : "")
        + "): look at the rows, give more of them"
        + (trained.recipe == nil ? " or of --epochs, or a lower --lr" : "")
        + (trained.version > 1 ? "; `vbert rollback` lets an older version answer" : "")
    }
    let unchanged = report.results.compactMap { result -> String? in
      guard let trained = try? result.result.get(), trained.best.number == 0 else { return nil }
      return
        "\(result.name) version \(trained.version) answers as its base does: on the dev rows no epoch "
        + "was better; give more rows, a lower --lr or another --loss"
    }
    var all = words + unchanged.prefix(5)
    if unchanged.count > 5 { all.append("so do \(unchanged.count - 5) others") }
    if empty.count > 5 { all.append("so have \(empty.count - 5) others without a gain") }
    return all
  }

  /// Four digits after the point.
  static func short(_ value: Double) -> String { "\((value * 10_000).rounded() / 10_000)" }
}
