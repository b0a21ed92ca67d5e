import Compute
import ComputeCPU
import Foundation
import Testing

/// Where float32 may lose digits, and where it need not: a BERT has neurons whose output is 172 in one
/// channel (at [SEP]), and such channels' weights multiply what was lost elsewhere.
@Suite struct RoundingTests {
  private static let points = (-9000...9000).map { Float($0) / 1000 }

  private static func gelu(_ x: Double) -> Double { 0.5 * x * erfc(-x / 2.0.squareRoot()) }

  /// Of large negative x too, where 1 + erf is a sum near 0.
  @Test(arguments: BackendUnderTest.all)
  func geluKeepsItsDigits(_ under: BackendUnderTest) throws {
    let bench = try under.bench()
    let x = try bench.tensor(Self.points, rows: 1, columns: Self.points.count)
    try bench.backend.applyGELU(x)
    for (point, found) in zip(Self.points, try bench.read(x)) {
      let expected = Self.gelu(Double(point))
      let error = abs(Double(found) - expected)
      #expect(error <= 5e-9 + 6e-7 * abs(expected), "gelu(\(point)) off by \(error)")
    }
  }

  /// The same inside a product, and in training with its derivative.
  @Test(arguments: BackendUnderTest.all)
  func soDoProductsAndTraining(_ under: BackendUnderTest) throws {
    let bench = try under.bench()
    let x = try bench.tensor(Self.points, rows: Self.points.count, columns: 1)
    let one = try bench.backend.prepare(
      HostMatrix(weight: [1], bias: [0], outputs: 1, inputs: 1))
    let out = try bench.poisoned(rows: Self.points.count, columns: 1)
    let saved = try bench.poisoned(rows: Self.points.count, columns: 1)
    try bench.backend.matmul(x, one, activation: .gelu, into: out)
    let trainable = try #require(bench.backend as? any TrainableBackend)
    try trainable.geluSaving(x, into: saved)
    let (products, outputs, slopes) = (
      try bench.read(out), try bench.read(saved), try bench.read(x)
    )
    for (i, point) in Self.points.enumerated() {
      let x = Double(point)
      let expected = Self.gelu(x)
      for found in [products[i], outputs[i]] {
        #expect(abs(Double(found) - expected) <= 5e-9 + 6e-7 * abs(expected), "gelu(\(x))")
      }
      let slope =
        0.5 * erfc(-x / 2.0.squareRoot()) + x * exp(-x * x / 2) / (2 * Double.pi).squareRoot()
      #expect(abs(Double(slopes[i]) - slope) <= 4e-7, "gelu'(\(x))")
    }
  }

  /// A term of 2^24 swallows every 1 that is added to it one by one; parts of the sum have a chain each.
  @Test(arguments: BackendUnderTest.all)
  func oneLargeTermSpoilsItsPartAlone(_ under: BackendUnderTest) throws {
    let bench = try under.bench()
    let inputs = 2048
    var weight = [Float](repeating: 1, count: inputs)
    weight[3] = 0x1p24
    let matrix = try bench.backend.prepare(
      HostMatrix(weight: weight, bias: [0], outputs: 1, inputs: inputs))
    let x = try bench.tensor([Float](repeating: 1, count: inputs), rows: 1, columns: inputs)
    let out = try bench.poisoned(rows: 1, columns: 1)
    for activation in [Activation.none, .gelu] {
      try bench.backend.matmul(x, matrix, activation: activation, into: out)
      #expect(abs(try bench.read(out)[0] - (0x1p24 + 2047)) <= 512, "\(activation)")
    }
  }
}
