/// A way to find a head.
package struct HeadCandidate: Sendable, Equatable {
  /// What losses weigh beside the penalty: `HeadProblem.strength`.
  package var strength: Double
  /// Whether labels' names are learnt from as texts of theirs.
  package var usesNames: Bool

  package init(strength: Double, usesNames: Bool = false) {
    (self.strength, self.usesNames) = (strength, usesNames)
  }
}

/// Chooses by rows that were held out. A value: how good each way was on each row in, a way out.
package enum HeadChoice {
  /// The number of the candidate taken. The first is what is known to be good: another must be better by so
  /// many standard errors of the rows' differences, since the best of several on few rows is chance too.
  /// `quality`: of every candidate, of every row.
  package static func best(_ quality: [[Double]], errors: Double = 1) -> Int {
    var best = 0
    for candidate in quality.indices.dropFirst() {
      let (mean, error) = gain(quality[candidate], over: quality[best])
      if mean > errors * error, mean > 1e-9 { best = candidate }
    }
    return best
  }

  /// Whether an adapter with `quality` is worth its memory beside a head alone.
  package static func isWorth(_ quality: [Double], over alone: [Double]) -> Bool {
    let (mean, error) = gain(quality, over: alone)
    return mean > -FewRows.doubt * error
  }

  /// The mean difference of two on the same rows, and its standard error.
  package static func gain(_ a: [Double], over b: [Double]) -> (mean: Double, error: Double) {
    let differences = zip(a, b).map { $0 - $1 }
    let count = Double(max(1, differences.count))
    let mean = differences.reduce(0, +) / count
    let variance = differences.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / max(1, count - 1)
    return (mean, (variance / count).squareRoot())
  }
}
