import Model

/// What an embedder's rows compare; all of a file are of one kind.
package enum Comparison: String, Sendable, Equatable {
  /// Two texts that should be near, whatever the other rows hold.
  case pairs
  /// The same with texts that should be far.
  case triplets
  /// Texts: those of one label should be near.
  case labels
  /// Two texts and how near they should be.
  case scores

  /// As a row of the kind is written.
  package var members: String {
    switch self {
    case .pairs: "{\"text\", \"text_pair\"}"
    case .triplets: "{\"anchor\", \"positive\", \"negative\"}"
    case .labels: "{\"text\", \"label\"}"
    case .scores: "{\"text\", \"text_pair\", \"score\"}"
    }
  }
}

extension DataRow {
  /// nil for a text alone.
  package var comparison: Comparison? {
    switch (target, others.count) {
    case (.label?, 0): .labels
    case (.score?, 1): .scores
    case (nil, 1): .pairs
    case (nil, 2...): .triplets
    default: nil
    }
  }
}

extension DataSet {
  /// What its rows compare. Throws `DataSetError` for the first row that is of another kind than those
  /// before it, and where nothing could be learnt of them or measured by them.
  package func comparison() throws(DataSetError) -> Comparison {
    guard let first = rows.first, let kind = first.comparison else { throw .noRows(path: path) }
    for row in rows where row.comparison != kind {
      throw .row(path: path, line: row.line, .otherComparison(kind, line: first.line))
    }
    switch kind {
    case .pairs, .triplets:
      if rows.count < 2 { throw .nothingCompared(path: path, .fewRows) }
    case .labels:
      var counts: [[UInt8]: Int] = [:]
      for label in rows.flatMap({ $0.target?.labels ?? [] }) {
        counts[Array(label.utf8), default: 0] += 1
      }
      if counts.count < 2 { throw .nothingCompared(path: path, .oneLabel) }
      if counts.values.allSatisfy({ $0 < 2 }) {
        throw .nothingCompared(path: path, .labelsOfOneRow)
      }
    case .scores:
      if let range = scoreRange, range.lowest == range.highest {
        throw .nothingCompared(path: path, .oneScore(range.lowest))
      }
    }
    return kind
  }

  /// Of its rows' scores; nil where there are none.
  var scoreRange: ScoreRange? {
    rows.reduce(nil as ScoreRange?) { range, row in
      guard case .score(let score)? = row.target else { return range }
      return ScoreRange(score, score).union(range)
    }
  }
}

/// Why rows of the right form teach an embedder nothing.
package enum ComparisonProblem: Sendable, Equatable, CustomStringConvertible {
  case fewRows
  case oneLabel
  case labelsOfOneRow
  case oneScore(Double)

  package var description: String {
    switch self {
    case .fewRows: "holds one row alone; what is near is told from other rows: give two or more"
    case .oneLabel:
      "holds one label alone; an embedder learns what is near from two labels or more"
    case .labelsOfOneRow:
      "gives every row a label of its own; an embedder learns from rows that have one in common"
    case .oneScore(let score):
      "gives every row the score \(score); an embedder learns from scores that differ"
    }
  }
}
