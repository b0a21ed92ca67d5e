import Compute
import ComputeCPU
import Foundation
import TestSupport
import Testing

/// Values on a backend, and central differences in Double to hold gradients against.
final class GradientCheck {
  let backend: CPUBackend
  private let workspace: Workspace
  private var random: SeededGenerator

  init(threads: Int = 2, seed: UInt64 = 7) throws {
    backend = try CPUBackend(threads: threads)
    workspace = try Workspace(backend: backend, byteCount: 1 << 22)
    random = SeededGenerator(seed: seed)
  }

  /// Values in -scale ... scale.
  func values(_ count: Int, scale: Double = 1) -> [Double] {
    (0..<count).map { _ in Double(Float.random(in: -1...1, using: &random)) * scale }
  }

  func indices(_ count: Int, _ range: Range<Int32>) -> [Int32] {
    (0..<count).map { _ in Int32.random(in: range, using: &random) }
  }

  func tensor(_ rows: Int, _ columns: Int, _ values: [Double]? = nil) throws -> Tensor {
    let tensor = workspace.take(rows: rows, columns: columns)
    let floats = values?.map { Float($0) } ?? [Float](repeating: 0, count: rows * columns)
    try unsafe floats.withUnsafeBufferPointer { values throws(ComputeError) in
      unsafe try backend.upload(values, to: tensor)
    }
    return tensor
  }

  func download(_ tensor: Tensor) throws -> [Double] {
    var floats = [Float](repeating: 0, count: tensor.count)
    try unsafe floats.withUnsafeMutableBufferPointer { values throws(ComputeError) in
      unsafe try backend.download(tensor, into: values)
    }
    return floats.map(Double.init)
  }

  /// d f / d x by central differences.
  static func differences(_ x: [Double], _ f: ([Double]) -> Double) -> [Double] {
    var x = x
    return x.indices.map { i in
      let (at, h) = (x[i], 1e-5)
      x[i] = at + h
      let above = f(x)
      x[i] = at - h
      let below = f(x)
      x[i] = at
      return (above - below) / (2 * h)
    }
  }

  /// Every value within `tolerance` of the largest expected magnitude.
  func expect(
    _ tensor: Tensor, _ expected: [Double], tolerance: Double = 2e-6,
    _ location: SourceLocation = #_sourceLocation
  ) throws {
    let found = try download(tensor)
    try #require(found.count == expected.count, sourceLocation: location)
    let largest = expected.map(abs).max() ?? 0
    #expect(largest > 1e-3, "nothing to compare", sourceLocation: location)
    let worst = zip(found, expected).map { abs($0 - $1) }.max() ?? 0
    #expect(worst <= tolerance * max(1, largest), sourceLocation: location)
  }
}

func dot(_ a: [Double], _ b: [Double]) -> Double { zip(a, b).reduce(0) { $0 + $1.0 * $1.1 } }
