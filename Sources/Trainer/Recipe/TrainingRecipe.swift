package import Model

/// How a version was trained and why: printed, and kept with it.
package struct TrainingRecipe: Sendable, Equatable {
  package var effort: Effort
  package var rows: Int
  package var labels: Int
  package var candidate: HeadCandidate
  /// `none` where the head alone was as good.
  package var adapter: AdapterSpec
  /// What the adapter was tuned by; 0 where none was tried.
  package var steps = 0
  /// The measure's name, the head's alone, and with an adapter, both on rows that were not learnt from.
  package var metric: String
  package var headScore: Double
  package var adapterScore: Double?
  /// Parts that rows were held out in to choose by.
  package var folds: Int
  /// What the version's own measure is.
  package var measured: Measure

  package enum Measure: String, Sendable, Codable {
    case crossValidation = "cv"
    /// Rows of the data that were set aside; rows that were given for it.
    case test, dev

    package var words: String {
      switch self {
      case .crossValidation: "cross-validated"
      case .test: "test"
      case .dev: "dev"
      }
    }
  }
}

extension TrainingRecipe: CustomStringConvertible {
  package var description: String {
    var words = ["\(rows) rows" + (labels > 0 ? ", \(labels) labels" : "") + ": head solved"]
    if candidate.usesNames { words.append("labels' names learnt too") }
    let short = { (value: Double) in "\((value * 1000).rounded() / 1000)" }
    let how = "cross-validated in \(folds) parts:"
    switch (adapterScore, adapter) {
    case (let score?, .none):
      words.append(
        "no adapter, \(how) \(metric) \(short(headScore)) alone, \(short(score)) with one tuned \(steps) steps"
      )
    case (let score?, _):
      words.append(
        "adapter \(adapter) tuned \(steps) steps, \(how) \(metric) \(short(score)) against \(short(headScore)) "
          + "for the head alone")
    case (nil, _): words.append("\(how) \(metric) \(short(headScore))")
    }
    return words.joined(separator: ", ")
  }
}
