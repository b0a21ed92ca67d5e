import Compute
import Foundation

/// Every operation as its definition says it, in double precision and without a thought for speed.
enum Reference {
  /// x [rows, inputs] W^T + b.
  static func linear(_ x: [Double], rows: Int, _ matrix: HostMatrix) -> [Double] {
    var out = [Double](repeating: 0, count: rows * matrix.outputs)
    for r in 0..<rows {
      for j in 0..<matrix.outputs {
        var sum = Double(matrix.bias?[j] ?? 0)
        for k in 0..<matrix.inputs {
          sum += x[r * matrix.inputs + k] * Double(matrix.weight[j * matrix.inputs + k])
        }
        out[r * matrix.outputs + j] = sum
      }
    }
    return out
  }

  static func gelu(_ x: Double) -> Double { 0.5 * x * (1 + erf(x / 2.0.squareRoot())) }

  static func geluSlope(_ x: Double) -> Double {
    0.5 * (1 + erf(x / 2.0.squareRoot())) + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
  }

  static func norm(_ x: [Double], gamma: [Float], beta: [Float], epsilon: Float) -> [Double] {
    let width = gamma.count
    var out = x
    for r in 0..<x.count / width {
      let row = x[r * width..<(r + 1) * width]
      let mean = row.reduce(0, +) / Double(width)
      let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(width)
      for i in 0..<width {
        let y = (x[r * width + i] - mean) / (variance + Double(epsilon)).squareRoot()
        out[r * width + i] = y * Double(gamma[i]) + Double(beta[i])
      }
    }
    return out
  }

  /// bias [heads, 2 n - 1], as `Backend.attention` has it; empty for none.
  static func attention(
    _ qkv: [Double], layout: SequenceLayout, heads: Int, hidden: Int, bias: [Double] = []
  ) -> [Double] {
    let span = bias.count / heads
    let size = hidden / heads
    let stride = 3 * hidden
    var out = [Double](repeating: 0, count: layout.rows * hidden)
    for s in 0..<layout.count {
      for h in 0..<heads {
        for i in layout.rows(of: s) {
          var scores: [Double] = []
          for j in layout.rows(of: s) {
            var dot = 0.0
            for d in h * size..<(h + 1) * size {
              dot += qkv[i * stride + d] * qkv[j * stride + hidden + d]
            }
            let added = span > 0 ? bias[h * span + span / 2 + j - i] : 0
            scores.append(dot / Double(size).squareRoot() + added)
          }
          let top = scores.max() ?? 0
          let weights = scores.map { exp($0 - top) }
          let total = weights.reduce(0, +)
          for (j, weight) in zip(layout.rows(of: s), weights) {
            for d in h * size..<(h + 1) * size {
              out[i * hidden + d] += weight / total * qkv[j * stride + 2 * hidden + d]
            }
          }
        }
      }
    }
    return out
  }
}

/// The largest absolute difference; infinite where a value is NaN or the counts differ.
func difference(_ a: [Float], _ b: [Double]) -> Double {
  guard a.count == b.count else { return .infinity }
  var largest = 0.0
  for (x, y) in zip(a, b) {
    let d = abs(Double(x) - y)
    if !(d <= largest) { largest = d.isNaN ? .infinity : d }
  }
  return largest
}

func doubles(_ values: [Float]) -> [Double] { values.map(Double.init) }
