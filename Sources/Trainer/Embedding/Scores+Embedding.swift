import Model

extension Scores {
  /// Rows that are looked through for what is near: of more so many, drawn, are.
  static let searchedRows = 4000
  /// Rows from which on the nearest ten tell something.
  static let leastOfTen = 100

  /// How near an embedder puts what should be near; `vectors`: of every sequence.
  static func searched(
    _ examples: Examples, vectors: [[Float]]
  ) -> (primary: String, values: [String: Double]) {
    var rows = Array(0..<examples.count)
    if examples.comparison != .scores, rows.count > searchedRows {
      var random = SplitMix(seed: 1)
      rows = random.permutation(rows.count).prefix(searchedRows).sorted()
    }
    let search = SearchScores(examples, rows: rows, vectors: vectors)
    switch examples.comparison {
    case .scores:
      let correlations = [
        "pearson": Metrics.pearson(search.gold, search.found),
        "spearman": Metrics.spearman(search.gold, search.found),
      ]
      return ("pearson", correlations)
    case .triplets:
      return ("accuracy", search.recalls.merging(["accuracy": search.accuracy]) { $1 })
    case .pairs, nil: return ("recall_at_1", search.recalls)
    case .labels:
      // Among few rows the nearest ten are most of them, and hold what is sought whatever the vectors.
      return (rows.count < leastOfTen ? "recall_at_1" : "recall_at_10", search.recalls)
    }
  }

  /// Of steps of 32 rows in their order, by the loss that suits them: what tells epochs apart that score
  /// alike.
  static func meanLoss(
    _ examples: Examples, vectors: [[Float]], scores range: ScoreRange?
  ) -> Double {
    var order = Array(0..<examples.count)
    if let classes = examples.classes {
      var random = SplitMix(seed: 1)
      order = ClassRuns.arranged(order, classes: classes, &random)
    }
    var (sum, steps) = (0.0, 0.0)
    for first in stride(from: 0, to: order.count, by: 32) {
      let rows = Array(order[first..<min(order.count, first + 32)])
      let batch = EmbeddingBatch(
        examples, rows: rows, loss: nil, dimensions: [], hidden: vectors.first?.count ?? 1,
        scores: range)
      let features = examples.sequences(of: rows).flatMap { vectors[$0] }
      sum += batch.loss(of: features) * Double(rows.count)
      steps += Double(rows.count)
    }
    return sum / max(1, steps)
  }
}
