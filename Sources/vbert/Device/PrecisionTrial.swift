import Compute
import ComputeCPU
import Foundation
import Model

/// A layer's four products timed in every precision, for a single text and for a batch.
struct PrecisionTrial {
  /// Milliseconds of one layer: the best of some runs, since neighbours only ever add to it.
  private let times: [Precision: (single: Double, batch: Double)]

  /// Rows of a short text, and of a batch that fills the register tiles many times.
  private static let rows = (single: 16, batch: 256)
  /// What fewer bits must save before they are worth having.
  private static let gain = 0.9

  /// Takes some ten milliseconds for MiniLM's shapes.
  init(_ configuration: Configuration) throws(ComputeError) {
    var times: [Precision: (single: Double, batch: Double)] = [:]
    for precision in Precision.allCases {
      let layer = try TrialLayer(configuration, precision)
      times[precision] = (
        try layer.milliseconds(rows: Self.rows.single),
        try layer.milliseconds(rows: Self.rows.batch)
      )
    }
    self.times = times
  }

  var choice: Precision {
    guard let whole = times[.fp32] else { return .fp32 }
    /// Both cases count alike, whatever their lengths.
    func share(_ time: (single: Double, batch: Double)) -> Double {
      (time.single / whole.single * time.batch / whole.batch).squareRoot()
    }
    let best = times.min { share($0.value) < share($1.value) }
    guard let best, share(best.value) < Self.gain else { return .fp32 }
    return best.key
  }

  /// For people: "int8 (one layer's products for 16 and 256 rows: fp32 0.21, 1.9 ms; ...)".
  var report: String {
    let all = Precision.allCases.compactMap { precision in
      times[precision].map {
        "\(precision) \(String(format: "%.2f, %.2f", $0.single, $0.batch)) ms"
      }
    }
    return "\(choice) (one layer's products for \(Self.rows.single) and \(Self.rows.batch) rows: "
      + all.joined(separator: "; ") + ")"
  }
}

/// A layer's matrices, of any values, on one thread.
private struct TrialLayer {
  private let backend: CPUBackend
  private let matrices: [any Matrix]

  init(_ configuration: Configuration, _ precision: Precision) throws(ComputeError) {
    let (hidden, wide) = (configuration.hiddenSize, configuration.intermediateSize)
    backend = try CPUBackend(threads: 1, precision: precision)
    var matrices: [any Matrix] = []
    for (outputs, inputs) in [
      (3 * hidden, hidden), (hidden, hidden), (wide, hidden), (hidden, wide),
    ] {
      let weight = [Float](repeating: 0.5, count: outputs * inputs)
      matrices.append(
        try backend.prepareReduced(
          HostMatrix(weight: weight, bias: nil, outputs: outputs, inputs: inputs)))
    }
    self.matrices = matrices
  }

  func milliseconds(rows: Int) throws(ComputeError) -> Double {
    let columns = matrices.reduce(0) { max($0, $1.inputs, $1.outputs) }
    let space = try Workspace(
      backend: backend, byteCount: 2 * Workspace.bytes(rows: rows, columns: columns))
    let x = space.take(rows: rows, columns: columns)
    let out = space.take(rows: rows, columns: columns)
    try backend.fill(x, with: 0.25)
    var best = Double.infinity
    for _ in 0..<6 {
      let start = ContinuousClock.now
      for matrix in matrices {
        try backend.matmul(
          x.columns(0..<matrix.inputs), matrix, activation: .none,
          into: out.columns(0..<matrix.outputs))
      }
      best = min(best, (.now - start) / .milliseconds(1))
    }
    return best
  }
}
