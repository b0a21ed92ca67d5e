package import Model

/// Predictions from a head's outputs, and how good they are.
package struct Scores: Sendable {
  /// By the names that reports use.
  package var values: [String: Double]
  /// The one that decides which epoch is best; larger is better.
  package var primary: String
  /// The mean loss; smaller is better.
  package var loss: Double

  package var value: Double { values[primary] ?? 0 }

  /// Nothing right, or no more than whoever always gives the same answer.
  package var saysNothing: Bool { value <= 0 || values["matthews"].map { $0 <= 0 } ?? false }

  /// `logits`: of every row the head's outputs (for tag: those of all its tokens; for embed the vectors of
  /// its texts, one after another).
  package init(_ examples: Examples, spec: VBertSpec, logits: [[Float]]) {
    loss =
      spec.task == .embed
      ? Scores.meanLoss(examples, vectors: logits, scores: spec.scores)
      : Scores.meanLoss(examples, spec: spec, logits: logits)
    switch spec.task {
    case .embed: (primary, values) = Scores.searched(examples, vectors: logits)
    case .classify:
      let gold = examples.targets.map { target -> Int in
        if case .label(let label) = target { return Int(label) }
        return -1
      }
      let predicted = logits.map { Readout.best($0) ?? 0 }
      primary = "accuracy"
      values = [
        "accuracy": Metrics.accuracy(gold: gold, predicted: predicted),
        "macro_f1": Metrics.macroF1(gold: gold, predicted: predicted),
        "matthews": Metrics.matthews(gold: gold, predicted: predicted),
      ]
    case .multilabel:
      let gold = examples.targets.map { target -> Set<Int> in
        if case .labels(let labels) = target { return labels }
        return []
      }
      // Probability >= 0.5.
      let predicted = logits.map { row in Set(row.indices.filter { row[$0] >= 0 }) }
      primary = "micro_f1"
      values = [
        "micro_f1": Metrics.microF1(gold: gold, predicted: predicted),
        "exact_match": Metrics.accuracy(gold: gold, predicted: predicted),
      ]
    case .score:
      let gold = examples.targets.map { target -> Double in
        if case .score(let score) = target { return Double(score) }
        return 0
      }
      let predicted = logits.map { Double($0[0]) }
      let squares = zip(gold, predicted).reduce(0) { $0 + ($1.0 - $1.1) * ($1.0 - $1.1) }
      primary = "pearson"
      values = [
        "pearson": Metrics.pearson(gold, predicted), "spearman": Metrics.spearman(gold, predicted),
        "mean_squared_error": squares / Double(max(1, gold.count)),
      ]
    case .tag:
      var spans = SpanF1(spec.tags)
      var (correct, words) = (0, 0)
      for (row, target) in examples.targets.enumerated() {
        guard case .tags(let gold) = target else { continue }
        let goldTags = gold.map { spec.labels[Int($0)] }
        let predicted = Scores.tags(
          logits[row], firstTokens: examples.firstTokens[row], labels: spec.labels)
        spans.add(gold: goldTags, predicted: predicted)
        correct += zip(goldTags, predicted).count { $0.utf8.elementsEqual($1.utf8) }
        words += gold.count
      }
      primary = "span_f1"
      values = [
        "span_f1": spans.f1, "precision": spans.precision, "recall": spans.recall,
        "accuracy": words == 0 ? 0 : Double(correct) / Double(words),
      ]
    }
  }

  /// A tag a word, read at its first token; "O" for a word without one, whatever the labels.
  package static func tags(_ logits: [Float], firstTokens: [Int], labels: [String]) -> [String] {
    let count = labels.count
    return firstTokens.map { first in
      let best = first < 0 ? nil : Readout.best(logits[first * count..<(first + 1) * count])
      return best.map { labels[$0] } ?? "O"
    }
  }
}
