import Compute
import Foundation

/// Forward passes written for reading, in Double; matrices are row-major.
enum Naive {
  static func linear(_ x: [Double], _ w: [Double], _ b: [Double]?, inputs: Int) -> [Double] {
    let (rows, outputs) = (x.count / inputs, w.count / inputs)
    var out: [Double] = []
    for r in 0..<rows {
      for o in 0..<outputs {
        var sum = b?[o] ?? 0
        for i in 0..<inputs { sum += x[r * inputs + i] * w[o * inputs + i] }
        out.append(sum)
      }
    }
    return out
  }

  /// a^T b; a [rows, m], b [rows, n].
  static func transposedProduct(_ a: [Double], _ b: [Double], rows: Int) -> [Double] {
    let (m, n) = (a.count / rows, b.count / rows)
    var out = [Double](repeating: 0, count: m * n)
    for r in 0..<rows {
      for i in 0..<m {
        for j in 0..<n { out[i * n + j] += a[r * m + i] * b[r * n + j] }
      }
    }
    return out
  }

  static func transposed(_ a: [Double], rows: Int) -> [Double] {
    let columns = a.count / rows
    var out: [Double] = []
    for c in 0..<columns {
      for r in 0..<rows { out.append(a[r * columns + c]) }
    }
    return out
  }

  static func gelu(_ x: Double) -> Double { 0.5 * x * (1 + erf(x / 2.0.squareRoot())) }

  static func norm(_ x: [Double], _ gamma: [Double], _ beta: [Double], epsilon: Double)
    -> [Double]
  {
    let n = gamma.count
    var out: [Double] = []
    for r in stride(from: 0, to: x.count, by: n) {
      var (mean, variance) = (0.0, 0.0)
      for c in 0..<n { mean += x[r + c] / Double(n) }
      for c in 0..<n { variance += (x[r + c] - mean) * (x[r + c] - mean) / Double(n) }
      let deviation = (variance + epsilon).squareRoot()
      for c in 0..<n { out.append((x[r + c] - mean) / deviation * gamma[c] + beta[c]) }
    }
    return out
  }

  /// bias [heads, 2 n - 1], as `Backend.attention` has it; empty for none.
  static func attention(
    _ qkv: [Double], layout: SequenceLayout, heads: Int, hidden: Int, bias: [Double] = []
  ) -> [Double] {
    let span = bias.count / heads
    let width = hidden / heads
    var out = [Double](repeating: 0, count: layout.rows * hidden)
    for i in 0..<layout.count {
      let rows = layout.rows(of: i)
      for head in 0..<heads {
        func at(_ row: Int, _ part: Int, _ c: Int) -> Double {
          qkv[row * 3 * hidden + part * hidden + head * width + c]
        }
        for r in rows {
          var scores: [Double] = []
          for s in rows {
            var score = 0.0
            for c in 0..<width { score += at(r, 0, c) * at(s, 1, c) }
            score /= Double(width).squareRoot()
            if span > 0 { score += bias[head * span + span / 2 + s - r] }
            scores.append(exp(score))
          }
          let sum = scores.reduce(0, +)
          for (s, score) in zip(rows, scores) {
            for c in 0..<width { out[r * hidden + head * width + c] += score / sum * at(s, 2, c) }
          }
        }
      }
    }
    return out
  }

  static func pool(_ x: [Double], layout: SequenceLayout, hidden: Int, mean: Bool) -> [Double] {
    var out: [Double] = []
    for i in 0..<layout.count {
      let rows = mean ? layout.rows(of: i) : layout.rows(of: i).prefix(1)
      for c in 0..<hidden {
        var sum = 0.0
        for r in rows { sum += x[r * hidden + c] }
        out.append(sum / Double(rows.count))
      }
    }
    return out
  }

  static func gate(_ x: [Double], _ gate: [Double], _ bias: Double) -> [Double] {
    let n = gate.count
    var out: [Double] = []
    for r in stride(from: 0, to: x.count, by: n) {
      var sum = bias
      for c in 0..<n { sum += gate[c] * x[r + c] }
      for c in 0..<n { out.append(x[r + c] / (1 + exp(-sum))) }
    }
    return out
  }

  static func gatherSum(_ table: [Double], _ indices: [Int32], terms: Int, columns: Int)
    -> [Double]
  {
    var out = [Double](repeating: 0, count: indices.count / terms * columns)
    for (place, index) in indices.enumerated() where index >= 0 {
      for c in 0..<columns { out[place / terms * columns + c] += table[Int(index) * columns + c] }
    }
    return out
  }

  static func softmaxLoss(
    _ logits: [Double], _ labels: [Int32], weights: [Float]?, classes: Int, share: Double
  ) -> Double {
    var loss = 0.0
    for (row, label) in labels.enumerated() where label >= 0 {
      var sum = 0.0
      for c in 0..<classes { sum += exp(logits[row * classes + c]) }
      let weight = Double(weights?[Int(label)] ?? 1)
      loss += share * weight * (log(sum) - logits[row * classes + Int(label)])
    }
    return loss
  }

  static func binaryLoss(
    _ logits: [Double], _ targets: [Float], weights: [Float]?, labels: Int, share: Double
  ) -> Double {
    var loss = 0.0
    for (i, logit) in logits.enumerated() {
      let (p, target) = (1 / (1 + exp(-logit)), Double(targets[i]))
      let weight = Double(weights?[i % labels] ?? 1)
      loss -= share * (weight * target * log(p) + (1 - target) * log(1 - p))
    }
    return loss
  }
}
