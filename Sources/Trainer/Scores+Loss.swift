internal import Foundation
import Model

extension Scores {
  /// The mean loss of a head's outputs, unweighted: what tells epochs apart that a small dev set scores
  /// alike. The cross entropy of labels, tags and, for multilabel, of every label by itself; the
  /// squared error of scores.
  static func meanLoss(_ examples: Examples, spec: VBertSpec, logits: [[Float]]) -> Double {
    let labels = spec.labels.count
    var (sum, count) = (0.0, 0)
    for (row, target) in examples.targets.enumerated() {
      switch target {
      case .none: break
      case .label(let label):
        sum += crossEntropy(logits[row][...], Int(label))
        count += 1
      case .labels(let gold):
        for label in 0..<labels {
          let x = Double(logits[row][label])
          sum += max(x, 0) - (gold.contains(label) ? x : 0) + log1p(exp(-abs(x)))
        }
        count += labels
      case .score(let score):
        let error = Double(logits[row][0] - score)
        sum += error * error
        count += 1
      case .tags(let tags):
        for (first, tag) in zip(examples.firstTokens[row], tags) where first >= 0 {
          sum += crossEntropy(logits[row][first * labels..<(first + 1) * labels], Int(tag))
          count += 1
        }
      }
    }
    return sum / Double(max(1, count))
  }

  private static func crossEntropy(_ logits: ArraySlice<Float>, _ label: Int) -> Double {
    let largest = Double(logits.max() ?? 0)
    let sum = logits.reduce(0.0) { $0 + exp(Double($1) - largest) }
    return log(sum) + largest - Double(logits[logits.startIndex + label])
  }
}
