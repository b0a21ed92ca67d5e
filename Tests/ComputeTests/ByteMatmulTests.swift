import Compute
import ComputeCPU
import TestSupport
import Testing

/// Products in bytes, on every instruction set.
@Suite struct ByteMatmulTests {
  /// Around the register tiles, the panels, the groups of 128 inputs and what pads them.
  static let shapes: [(rows: Int, outputs: Int, inputs: Int)] = [
    (1, 1, 1), (1, 384, 384), (2, 33, 7), (3, 8, 127), (5, 100, 128), (6, 16, 129), (7, 47, 130),
    (13, 32, 100), (14, 64, 1), (15, 65, 511), (16, 96, 384), (29, 31, 1025), (113, 48, 40),
    (225, 130, 64), (40, 96, 1536), (4, 40, 257),
  ]

  @Test(arguments: shapes)
  func productsMatchTheDefinition(rows: Int, outputs: Int, inputs: Int) throws {
    var random = SeededGenerator(seed: UInt64(rows * 7 + outputs))
    func noise(_ count: Int) -> [Float] {
      (0..<count).map { _ in Float.random(in: -1..<1, using: &random) }
    }
    let x = noise(rows * inputs).map { $0 * $0 * $0 + 0.25 }
    for bias in [noise(outputs), nil] {
      let matrix = HostMatrix(
        weight: noise(outputs * inputs), bias: bias, outputs: outputs, inputs: inputs)
      let plain = ByteProduct.linear(x, rows: rows, matrix)
      for activation in [Activation.none, .gelu] {
        let expected = activation == .gelu ? plain.map(Reference.gelu) : plain
        for under in BackendUnderTest.all {
          let found = try ReducedMatmul.matmul(
            .int8, x, rows: rows, matrix, activation: activation, on: under)
          let error = difference(found, expected)
          #expect(error < 3e-5, "\(under.testDescription), \(activation): \(error)")
        }
      }
    }
  }

  /// Whole numbers whose scales are 1, so that results are whole and have no rounding to hide in: both
  /// ends of both ranges beside each other in every order, where a 16-bit sum of two would saturate.
  @Test(arguments: BackendUnderTest.all)
  func extremesAreExact(_ under: BackendUnderTest) throws {
    let inputs = 4 * ByteProduct.group
    let patterns: [(Int) -> Float] = [
      { _ in 255 }, { $0 % 2 == 0 ? 255 : 0 }, { $0 % 4 < 2 ? 255 : 0 }, { Float($0 % 256) },
      { Float(255 - $0 * 7 % 256) }, { $0 % 3 == 0 ? 255 : 254 }, { _ in 0 },
    ]
    let weights: [(Int) -> Float] = [
      { _ in 127 }, { _ in -127 }, { $0 % 2 == 0 ? 127 : -127 }, { $0 % 4 < 2 ? 127 : -127 },
      { Float($0 % 255 - 127) }, { $0 % 5 == 0 ? 127 : -126 }, { $0 % 128 < 2 ? 127 : 0 },
    ]
    // Each group begins with the ends of its range, which make the scale 1.
    let x = patterns.flatMap { pattern in
      (0..<inputs).map { $0 % 128 == 0 ? 255 : $0 % 128 == 1 ? 0 : pattern($0) }
    }
    let w = weights.flatMap { weight in
      (0..<inputs).map { $0 % 128 == 0 ? -127 : weight($0) }
    }
    let matrix = HostMatrix(weight: w, bias: nil, outputs: weights.count, inputs: inputs)
    var expected: [Float] = []
    for r in patterns.indices {
      for j in weights.indices {
        let sum = (0..<inputs).reduce(0) {
          $0 + Int(x[r * inputs + $1]) * Int(w[j * inputs + $1])
        }
        expected.append(Float(sum))
      }
    }
    #expect(try ReducedMatmul.matmul(.int8, x, rows: patterns.count, matrix, on: under) == expected)
  }

  /// Constant rows, zero columns, values that are not numbers: no division by nothing, no trap, and
  /// the row beside a bad one is as it was.
  @Test(arguments: BackendUnderTest.all)
  func oddRowsHarmNobody(_ under: BackendUnderTest) throws {
    let inputs = 200
    let rows: [[Float]] = [
      [Float](repeating: 0, count: inputs), [Float](repeating: 0.3, count: inputs),
      (0..<inputs).map { $0 == 5 ? .infinity : 1 }, (0..<inputs).map { $0 == 5 ? .nan : 1 },
      (0..<inputs).map { Float($0) * .leastNonzeroMagnitude }, (0..<inputs).map { Float($0) / 100 },
    ]
    var weight = (0..<3 * inputs).map { Float($0 % 17) / 17 - 0.5 }
    for k in 0..<inputs { weight[inputs + k] = 0 }
    let matrix = HostMatrix(weight: weight, bias: [1, 2, 3], outputs: 3, inputs: inputs)
    let found = try ReducedMatmul.matmul(
      .int8, rows.flatMap(\.self), rows: rows.count, matrix, on: under)
    for r in [0, 1, 4, 5] {
      let expected = ByteProduct.linear(rows[r], rows: 1, matrix)
      #expect(difference(Array(found[3 * r..<3 * r + 3]), expected) < 1e-5, "row \(r)")
    }
    #expect(!found[6].isFinite)
  }

  /// Adapters, heads and what a table keeps stay as they are.
  @Test func onlyReducedMatricesAreBytes() throws {
    let matrix = HostMatrix(
      weight: (0..<384 * 384).map { Float($0 % 251) / 251 }, bias: nil, outputs: 384, inputs: 384)
    let int8 = try CPUBackend(threads: 1, precision: .int8)
    let whole = try int8.prepare(matrix).byteCount
    #expect(whole >= 384 * 384 * 4)
    #expect(try int8.prepareReduced(matrix).byteCount < whole * 3 / 10)
    #expect(try CPUBackend(threads: 1).prepareReduced(matrix).byteCount == whole)
  }
}
