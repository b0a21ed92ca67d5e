package import Compute
internal import Model

/// A head to be found for rows whose features do not change: a convex problem.
/// C * sum of the rows' losses + |W|^2 / 2; the bias is free. `C` is `strength`.
package struct HeadProblem: Sendable {
  package enum Targets: Sendable {
    /// A class a row; a negative one takes no part.
    case classes([Int32])
    /// 0 or 1 a row and output.
    case many([Float])
    /// A number a row; one output.
    case scores([Float])
  }

  package let features: FeatureTable
  package let targets: Targets
  package let outputs: Int
  package let strength: Double

  package init(_ features: FeatureTable, _ targets: Targets, outputs: Int, strength: Double) {
    (self.features, self.targets, self.outputs) = (features, targets, outputs)
    self.strength = strength
  }
}

/// A head: outputs = weight [outputs, hidden] x features + bias.
package struct HeadSolution: Sendable, Equatable {
  package var weight: [Float]
  package var bias: [Float]

  package var outputs: Int { bias.count }

  /// What it says of a row's features.
  package func callAsFunction(_ features: ArraySlice<Float>) -> [Float] {
    let hidden = features.count
    var out = bias
    unsafe features.withUnsafeBufferPointer { x in
      unsafe weight.withUnsafeBufferPointer { weight in
        for o in out.indices {
          var (sum, c) = (Float(0), 0)
          while c < hidden {
            unsafe sum += weight[o * hidden + c] * x[c]
            c += 1
          }
          out[o] += sum
        }
      }
    }
    return out
  }
}

/// Rows' features on the device, scaled to mean norm 1, so that one strength suits every base, and moved to
/// mean 0, which a free bias allows; shared by problems over the same rows.
package final class FeatureTable: Sendable {
  let rows: Int
  let hidden: Int
  let mean: [Float]
  let scale: Float
  let tensor: Tensor
  private let memory: DeviceBuffer

  /// `features` [rows, hidden]. Throws what the backend throws.
  package init(
    _ features: [Float], hidden: Int, backend: any TrainableBackend
  ) throws(ComputeError) {
    precondition(hidden > 0 && features.count % hidden == 0 && !features.isEmpty)
    let rows = features.count / hidden
    var sum = [Float](repeating: 0, count: hidden)
    var norms = 0.0
    for row in 0..<rows {
      let part = Array(features[row * hidden..<(row + 1) * hidden])
      Vector.add(1, part, to: &sum)
      norms += Vector.norm(part)
    }
    Vector.scale(&sum, by: 1 / Double(rows))
    let scale = norms > 0 ? Float(Double(rows) / norms) : 1
    var moved: [Float] = []
    moved.reserveCapacity(features.count)
    for row in 0..<rows {
      var part = Array(features[row * hidden..<(row + 1) * hidden])
      Vector.add(-1, sum, to: &part)
      Vector.scale(&part, by: Double(scale))
      moved += part
    }
    (self.rows, self.hidden, mean, self.scale) = (rows, hidden, sum, scale)
    memory = try backend.allocate(byteCount: moved.count * MemoryLayout<Float>.size)
    tensor = memory.tensor(rows: rows, columns: hidden)
    try backend.upload(moved, to: tensor)
  }

  /// A head over these features as one over those that came in.
  func restored(_ weight: [Float], _ bias: [Float]) -> HeadSolution {
    var weight = weight
    Vector.scale(&weight, by: Double(scale))
    let bias = bias.indices.map { o in
      bias[o] - Float(Vector.dot(Array(weight[o * hidden..<(o + 1) * hidden]), mean))
    }
    return HeadSolution(weight: weight, bias: bias)
  }
}
