import Compute
import Foundation

/// Products in bytes as docs/numerics.md defines them: whole numbers exactly, everything around them
/// in double precision.
enum ByteProduct {
  static let group = 128

  /// x [rows, inputs] W^T + b.
  static func linear(_ x: [Float], rows: Int, _ matrix: HostMatrix) -> [Double] {
    let (inputs, outputs) = (matrix.inputs, matrix.outputs)
    let starts = Array(stride(from: 0, to: inputs, by: group))
    let columns = (0..<outputs).map { j in
      starts.map { weights(matrix.weight[j * inputs + $0..<j * inputs + min($0 + group, inputs)]) }
    }
    var out: [Double] = []
    for r in 0..<rows {
      let groups = starts.map { places(x[r * inputs + $0..<r * inputs + min($0 + group, inputs)]) }
      for j in 0..<outputs {
        var y = Double(matrix.bias?[j] ?? 0)
        for (row, column) in zip(groups, columns[j]) {
          let dot = zip(row.places, column.wholes).reduce(0) { $0 + $1.0 * $1.1 }
          let ones = column.wholes.reduce(0, +)
          y += column.factor * (row.scale * Double(dot) + row.low * Double(ones))
        }
        out.append(y)
      }
    }
    return out
  }

  /// Whole multiples of a factor, -127 to 127.
  private static func weights(_ w: ArraySlice<Float>) -> (wholes: [Int], factor: Double) {
    let most = w.map(abs).max() ?? 0
    let steps: Float = most > 0 ? 127 / most : 0
    return (w.map { Int(($0 * steps).rounded(.toNearestOrEven)) }, Double(most) / 127)
  }

  /// Places between the least and the greatest value, 0 to 255.
  private static func places(
    _ x: ArraySlice<Float>
  ) -> (places: [Int], scale: Double, low: Double) {
    let (low, high) = (x.min() ?? 0, x.max() ?? 0)
    let steps: Float = high - low > 1e-30 ? 255 / (high - low) : 0
    return (
      x.map { Int((($0 - low) * steps).rounded(.toNearestOrEven)) }, Double(high - low) / 255,
      Double(low)
    )
  }
}
