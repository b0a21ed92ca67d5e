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
  /// What chose between the two where it was not `metric`.
  package var choice: Choice?
  /// Parts that rows were held out in to choose by.
  package var folds: Int
  /// What the version's own measure is.
  package var measured: Measure

  /// A mean over rows that were held out.
  package struct Choice: Sendable, Equatable {
    package var name: String
    package var head: Double
    package var adapter: Double
  }

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
    var words = [
      "\(rows) rows" + (labels > 0 ? ", \(labels) labels" : "")
        + ": head solved, C = \(Int(candidate.strength))"
    ]
    if candidate.usesNames { words.append("labels' names learnt too") }
    let short = { (value: Double) in "\((value * 1000).rounded() / 1000)" }
    let chosen =
      choice.map { ", told by \($0.name): \(short($0.adapter)) against \(short($0.head))" } ?? ""
    let tuned = "tuned \(steps) step\(steps == 1 ? "" : "s")"
    let how = "cross-validated in \(folds) parts:"
    switch (adapterScore, adapter) {
    case (let score?, .none):
      words.append(
        "no adapter (in \(folds) parts \(metric) \(short(headScore)) alone, \(short(score)) with one \(tuned)"
          + "\(chosen))")
      // The head's own measure is of its own parts.
      if measured == .crossValidation {
        words.append("measured in \(min(FewRows.headFolds, rows)) parts")
      }
    case (let score?, _):
      words.append(
        "adapter \(adapter) \(tuned), \(how) \(metric) \(short(score)) against \(short(headScore)) "
          + "for the head alone\(chosen)")
    case (nil, _): words.append("\(how) \(metric) \(short(headScore))")
    }
    return words.joined(separator: ", ")
  }
}
