/// How good predictions are. Values in 0...1 (correlations -1...1); undefined quotients are 0.
package enum Metrics {
  /// Share of equal entries; 0 of none.
  package static func accuracy<Label: Equatable>(gold: [Label], predicted: [Label]) -> Double {
    guard !gold.isEmpty else { return 0 }
    return Double(zip(gold, predicted).count { $0 == $1 }) / Double(gold.count)
  }

  /// F1 of each class that occurs in gold or predicted, their mean.
  package static func macroF1(gold: [Int], predicted: [Int]) -> Double {
    let counts = Counts(gold, predicted)
    let classes = Set(counts.gold.keys).union(counts.predicted.keys)
    guard !classes.isEmpty else { return 0 }
    // In ascending order, so that the sum's rounding is always the same.
    let sum = classes.sorted().reduce(0.0) { sum, label in
      let (gold, predicted) = (counts.gold[label] ?? 0, counts.predicted[label] ?? 0)
      return sum + 2 * Double(counts.correct[label] ?? 0) / Double(gold + predicted)
    }
    return sum / Double(classes.count)
  }

  /// Matthews' correlation for any number of classes (Gorodkin 2004); 0 where undefined.
  package static func matthews(gold: [Int], predicted: [Int]) -> Double {
    let counts = Counts(gold, predicted)
    let total = Double(gold.count)
    let correct = Double(counts.correct.values.reduce(0, +))
    var (both, golds, predictions) = (0.0, 0.0, 0.0)
    for label in Set(counts.gold.keys).union(counts.predicted.keys).sorted() {
      let (g, p) = (Double(counts.gold[label] ?? 0), Double(counts.predicted[label] ?? 0))
      both += g * p
      golds += g * g
      predictions += p * p
    }
    let spread = (total * total - predictions) * (total * total - golds)
    return spread > 0 ? (correct * total - both) / spread.squareRoot() : 0
  }

  /// Micro-averaged F1 of label sets.
  package static func microF1(gold: [Set<Int>], predicted: [Set<Int>]) -> Double {
    let correct = zip(gold, predicted).reduce(0) { $0 + $1.0.intersection($1.1).count }
    let all = gold.reduce(0) { $0 + $1.count } + predicted.reduce(0) { $0 + $1.count }
    return all == 0 ? 0 : 2 * Double(correct) / Double(all)
  }

  /// Pearson's correlation; 0 where an input is constant.
  package static func pearson(_ x: [Double], _ y: [Double]) -> Double {
    let n = Double(x.count)
    guard n > 0 else { return 0 }
    let (meanX, meanY) = (x.reduce(0, +) / n, y.reduce(0, +) / n)
    var (xy, xx, yy) = (0.0, 0.0, 0.0)
    for (a, b) in zip(x, y) {
      xy += (a - meanX) * (b - meanY)
      xx += (a - meanX) * (a - meanX)
      yy += (b - meanY) * (b - meanY)
    }
    // The mean of equal numbers may be off by a rounding; constant is constant.
    if x.allSatisfy({ $0 == x[0] }) || y.allSatisfy({ $0 == y[0] }) { return 0 }
    return xx > 0 && yy > 0 ? xy / (xx.squareRoot() * yy.squareRoot()) : 0
  }

  /// Pearson's correlation of the ranks; ties get their average rank.
  package static func spearman(_ x: [Double], _ y: [Double]) -> Double {
    pearson(ranks(x), ranks(y))
  }

  private static func ranks(_ x: [Double]) -> [Double] {
    let order = x.indices.sorted { x[$0] < x[$1] }
    var ranks = [Double](repeating: 0, count: x.count)
    var first = 0
    while first < order.count {
      var last = first
      while last + 1 < order.count, x[order[last + 1]] == x[order[first]] { last += 1 }
      for place in first...last { ranks[order[place]] = Double(first + last) / 2 + 1 }
      first = last + 1
    }
    return ranks
  }

  /// How often each class occurs, is predicted, and both.
  private struct Counts {
    var gold: [Int: Int] = [:]
    var predicted: [Int: Int] = [:]
    var correct: [Int: Int] = [:]

    init(_ gold: [Int], _ predicted: [Int]) {
      for (g, p) in zip(gold, predicted) {
        self.gold[g, default: 0] += 1
        self.predicted[p, default: 0] += 1
        if g == p { correct[g, default: 0] += 1 }
      }
    }
  }
}
