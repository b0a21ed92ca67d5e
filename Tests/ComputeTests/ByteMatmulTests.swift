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

  private static func matmul(
    _ x: [Float], rows: Int, _ matrix: HostMatrix, activation: Activation = .none,
    on under: BackendUnderTest
  ) throws -> [Float] {
    let bench = try under.bench(precision: .int8)
    let out = try bench.poisoned(rows: rows, columns: matrix.outputs)
    try bench.backend.matmul(
      bench.tensor(x, rows: rows, columns: matrix.inputs), bench.backend.prepareReduced(matrix),
      activation: activation, into: out)
    return try bench.read(out)
  }

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
          let found = try Self.matmul(x, rows: rows, matrix, activation: activation, on: under)
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
    #expect(try Self.matmul(x, rows: patterns.count, matrix, on: under) == expected)
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
    let found = try Self.matmul(rows.flatMap(\.self), rows: rows.count, matrix, on: under)
    for r in [0, 1, 4, 5] {
      let expected = ByteProduct.linear(rows[r], rows: 1, matrix)
      #expect(difference(Array(found[3 * r..<3 * r + 3]), expected) < 1e-5, "row \(r)")
    }
    #expect(!found[6].isFinite)
  }

  @Test(arguments: BackendUnderTest.all)
  func columnsBesideTheOutputStay(_ under: BackendUnderTest) throws {
    let bench = try under.bench(precision: .int8)
    let (rows, outputs, inputs) = (17, 39, 20)
    let wide = try bench.tensor([Float](repeating: 7, count: rows * 64), rows: rows, columns: 64)
    let x = bench.noise(rows * 64)
    let matrix = HostMatrix(
      weight: bench.noise(outputs * inputs), bias: nil, outputs: outputs, inputs: inputs)
    try bench.backend.matmul(
      bench.tensor(x, rows: rows, columns: 64).columns(3..<23),
      bench.backend.prepareReduced(matrix), activation: .none, into: wide.columns(10..<49))
    let inner = (0..<rows).flatMap { x[$0 * 64 + 3..<$0 * 64 + 23] }
    let product = ByteProduct.linear(inner, rows: rows, matrix)
    var expected = [Double](repeating: 7, count: rows * 64)
    for r in 0..<rows {
      for j in 0..<outputs { expected[r * 64 + 10 + j] = product[r * outputs + j] }
    }
    #expect(difference(try bench.read(wide), expected) < 1e-5)
  }

  /// Alone equals together, to the bit: a row's ranges are its own.
  @Test(arguments: BackendUnderTest.all)
  func aRowAloneEqualsTheRowInABatch(_ under: BackendUnderTest) throws {
    let bench = try under.bench(precision: .int8)
    let (rows, outputs, inputs) = (133, 70, 1100)
    let x = try bench.tensor(bench.noise(rows * inputs), rows: rows, columns: inputs)
    let matrix = try bench.backend.prepareReduced(
      HostMatrix(
        weight: bench.noise(outputs * inputs), bias: bench.noise(outputs), outputs: outputs,
        inputs: inputs))
    let together = try bench.poisoned(rows: rows, columns: outputs)
    let alone = try bench.poisoned(rows: rows, columns: outputs)
    try bench.backend.matmul(x, matrix, activation: .gelu, into: together)
    for r in 0..<rows {
      try bench.backend.matmul(
        x.rows(r..<r + 1), matrix, activation: .gelu, into: alone.rows(r..<r + 1))
    }
    #expect(try bench.read(together) == bench.read(alone))
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
