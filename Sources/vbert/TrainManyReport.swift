import Model
import Trainer

/// What training many came to.
struct TrainManyReport: Encodable {
  /// One vBERT's result: as it ends, and in the end.
  struct Item: Encodable {
    var name: String
    var version: Int?
    var epochs: Int?
    var bestEpoch: Int?
    var metrics: [String: Double]?
    /// What it is measured by, and the value.
    var measure: String?
    var score: Double?
    /// How few rows were learnt, in words; absent for training by epochs.
    var recipe: String?
    var trainRows: Int
    var devRows: Int
    /// Rows that were longer than the vBERT reads.
    var truncatedRows: Int
    /// From the beginning of all to its end; absent for one that had none.
    var seconds: Double?
    var error: String?

    init(_ result: TrainingResult) {
      (name, trainRows) = (result.name.text, result.trainRows)
      (devRows, truncatedRows) = (result.devRows, result.truncatedRows)
      seconds = result.seconds > 0 ? result.seconds : nil
      switch result.result {
      case .success(let trained):
        (version, epochs, metrics) = (trained.version, trained.epochs, trained.metrics)
        let measured = trained.recipe?.measured ?? .dev
        (bestEpoch, score) = (trained.best.number, trained.best.dev.value)
        measure = "\(measured.words) \(trained.best.dev.primary)"
        recipe = trained.recipe?.description
      case .failure(let error): self.error = "\(error)"
      }
    }

    /// As it is said when it ends.
    var text: String {
      let when = "\(Int(seconds ?? 0)) s"
      guard error == nil, let version, let epochs, let bestEpoch else {
        return "\(name): failed, \(when): \(error ?? "")"
      }
      let score = "\(name) version \(version): \(measure ?? "") \(TrainReport.short(score ?? 0))"
      return score + (recipe.map { "; \($0)" } ?? " after epoch \(bestEpoch) of \(epochs)")
        + (truncatedRows > 0 ? "; \(truncatedRows) rows were cut to the maximum length" : "")
        + ", \(when)"
    }
  }

  /// In the order of the list.
  private(set) var vberts: [Item] = []
  private(set) var failed = 0
  /// What ended all before its time.
  let stopped: String?
  /// All together, from the list to the last version published.
  let seconds: Double
  let readSeconds: Double
  let preparedSeconds: Double
  let trainedSeconds: Double
  let publishedSeconds: Double
  private(set) var trainedTokens = 0

  init(_ report: TrainingReport) {
    (seconds, readSeconds) = (report.seconds, report.readSeconds)
    (preparedSeconds, trainedSeconds) = (report.preparedSeconds, report.trainedSeconds)
    publishedSeconds = report.publishedSeconds
    stopped = report.stop.map { "\($0)" }
    for result in report.results {
      let item = Item(result)
      if item.error != nil { failed += 1 }
      trainedTokens += (try? result.result.get())?.tokens ?? 0
      vberts.append(item)
    }
  }
}

extension TrainManyReport {
  /// All are shown of so many; of more the worst. And so many failures: each was said when it ended.
  private static let (mostShown, worstShown, failuresShown) = (50, 20, 100)

  /// The worst first, then what failed and why, then how many and how long.
  func printText() {
    let trained = vberts.filter { $0.error == nil }.map { (item: $0, score: $0.score ?? 0) }
    // What is no number is worse than all that is; of equal ones the first in the list.
    let sorted = trained.enumerated().sorted { a, b in
      func key(_ score: Double) -> Double { score.isNaN ? -.infinity : score }
      return (key(a.element.score), a.offset) < (key(b.element.score), b.offset)
    }.map(\.element)
    let shown = sorted.count <= Self.mostShown ? sorted : Array(sorted.prefix(Self.worstShown))
    Output.table(
      ["WORST FIRST", "VERSION", "SCORE", "MEASURE", "ROWS", "EPOCHS"],
      shown.map { item, score in
        [
          item.name, "\(item.version ?? 0)", TrainReport.short(score), item.measure ?? "",
          "\(item.trainRows)", "\(item.bestEpoch ?? 0) of \(item.epochs ?? 0)",
        ]
      })
    if let next = sorted.dropFirst(shown.count).first, let last = sorted.last {
      print(
        "and \(sorted.count - shown.count) others, from \(TrainReport.short(next.score)) to "
          + TrainReport.short(last.score))
    }
    printFailures()
    print(
      "\(vberts.count - failed) of \(vberts.count) vBERTs trained in \(Int(seconds)) s "
        + "(reading \(Int(readSeconds)) s, preparing \(Int(preparedSeconds)) s, "
        + "training \(Int(trainedSeconds)) s, publishing \(Int(publishedSeconds)) s)")
  }

  private func printFailures() {
    let failures = vberts.filter { $0.error != nil && $0.seconds != nil }
    if !failures.isEmpty { print("failed:") }
    for item in failures.prefix(Self.failuresShown) { print("\(item.name): \(item.error ?? "")") }
    if failures.count > Self.failuresShown {
      print(
        "and \(failures.count - Self.failuresShown) others; stderr has each, and --json lists all")
    }
    if let stopped {
      print("\(failed - failures.count) were not trained: all ended before its time: \(stopped)")
    }
  }
}
