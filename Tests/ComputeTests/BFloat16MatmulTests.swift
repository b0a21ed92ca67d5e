import Compute
import ComputeCPU
import TestSupport
import Testing

/// Products in bfloat16, on every instruction set.
@Suite struct BFloat16MatmulTests {
  /// Around the register tiles, the panels and the pairs of inputs.
  static let shapes: [(rows: Int, outputs: Int, inputs: Int)] = [
    (1, 1, 1), (1, 384, 384), (2, 33, 7), (3, 8, 127), (5, 100, 128), (6, 16, 129), (7, 47, 131),
    (13, 32, 100), (14, 64, 1), (15, 65, 511), (16, 96, 384), (29, 31, 1025), (113, 48, 40),
    (225, 130, 64), (40, 96, 1536), (4, 40, 257),
  ]

  /// The nearest bfloat16, ties to even.
  static func rounded(_ x: Float) -> Float {
    let bits = x.bitPattern
    return Float(bitPattern: (bits + 0x7fff + (bits >> 16 & 1)) & 0xffff_0000)
  }

  private static func matmul(
    _ x: [Float], rows: Int, _ matrix: HostMatrix, activation: Activation = .none,
    on under: BackendUnderTest
  ) throws -> [Float] {
    let bench = try under.bench(precision: .bf16)
    let out = try bench.poisoned(rows: rows, columns: matrix.outputs)
    try bench.backend.matmul(
      bench.tensor(x, rows: rows, columns: matrix.inputs), bench.backend.prepareReduced(matrix),
      activation: activation, into: out)
    return try bench.read(out)
  }

  /// Rounded operands, everything else exact: only the order of fp32 sums is left to differ.
  @Test(arguments: shapes)
  func productsMatchTheDefinition(rows: Int, outputs: Int, inputs: Int) throws {
    var random = SeededGenerator(seed: UInt64(rows * 7 + outputs))
    func noise(_ count: Int) -> [Float] {
      (0..<count).map { _ in Float.random(in: -1..<1, using: &random) }
    }
    let x = noise(rows * inputs)
    for bias in [noise(outputs), nil] {
      var matrix = HostMatrix(
        weight: noise(outputs * inputs).map { $0 / 2 }, bias: bias, outputs: outputs,
        inputs: inputs)
      let whole = matrix
      matrix.weight = matrix.weight.map(Self.rounded)
      let plain = Reference.linear(doubles(x.map(Self.rounded)), rows: rows, matrix)
      for activation in [Activation.none, .gelu] {
        let expected = activation == .gelu ? plain.map(Reference.gelu) : plain
        for under in BackendUnderTest.all {
          let found = try Self.matmul(x, rows: rows, whole, activation: activation, on: under)
          let error = difference(found, expected)
          #expect(error < 4e-5, "\(under.testDescription), \(activation): \(error)")
        }
      }
    }
  }

  /// Halfway values go to the even neighbour, above and below, and large ones are not cut off.
  @Test(arguments: BackendUnderTest.all)
  func roundingIsToNearestEven(_ under: BackendUnderTest) throws {
    let x: [Float] = [
      1, 1.00390625, 1.01171875, 1.0039063, 1.0117187, -1.00390625, 3.3e38, -2.5e38, 1e-30, 0, -0.0,
      255.5,
    ]
    let one = HostMatrix(weight: [1], bias: nil, outputs: 1, inputs: 1)
    #expect(try Self.matmul(x, rows: x.count, one, on: under) == x.map(Self.rounded))
  }

  /// Values that are not numbers stay none, and the rows beside them are as they were.
  @Test(arguments: BackendUnderTest.all)
  func oddRowsHarmNobody(_ under: BackendUnderTest) throws {
    let inputs = 67
    let plain = (0..<inputs).map { Float($0) / 64 }
    let strange: [Float] = [
      .infinity, .nan, Float(bitPattern: 0x7fff_ffff), Float(bitPattern: 0xff80_0001),
    ]
    let rows = strange.flatMap { value in [plain, plain.enumerated().map { $0 == 5 ? value : $1 }] }
    let matrix = HostMatrix(
      weight: (0..<3 * inputs).map { Float($0 % 17) / 16 + 0.25 }, bias: [1, 2, 3], outputs: 3,
      inputs: inputs)
    let found = try Self.matmul(rows.flatMap(\.self), rows: rows.count, matrix, on: under)
    let alone = try Self.matmul(plain, rows: 1, matrix, on: under)
    for r in rows.indices {
      let row = found[3 * r..<3 * r + 3]
      if r % 2 == 0 {
        #expect(Array(row) == alone)
      } else {
        #expect(row.allSatisfy { !$0.isFinite })
      }
    }
  }

  @Test(arguments: BackendUnderTest.all)
  func columnsBesideTheOutputStay(_ under: BackendUnderTest) throws {
    let bench = try under.bench(precision: .bf16)
    let (rows, outputs, inputs) = (17, 39, 21)
    let wide = try bench.tensor([Float](repeating: 7, count: rows * 64), rows: rows, columns: 64)
    let x = bench.noise(rows * 64)
    let matrix = HostMatrix(
      weight: bench.noise(outputs * inputs).map(Self.rounded), bias: nil, outputs: outputs,
      inputs: inputs)
    try bench.backend.matmul(
      bench.tensor(x, rows: rows, columns: 64).columns(3..<24),
      bench.backend.prepareReduced(matrix), activation: .none, into: wide.columns(10..<49))
    let inner = (0..<rows).flatMap { x[$0 * 64 + 3..<$0 * 64 + 24] }.map(Self.rounded)
    let product = Reference.linear(doubles(inner), rows: rows, matrix)
    var expected = [Double](repeating: 7, count: rows * 64)
    for r in 0..<rows {
      for j in 0..<outputs { expected[r * 64 + 10 + j] = product[r * outputs + j] }
    }
    #expect(difference(try bench.read(wide), expected) < 1e-5)
  }

  /// Alone equals together, to the bit.
  @Test(arguments: BackendUnderTest.all)
  func aRowAloneEqualsTheRowInABatch(_ under: BackendUnderTest) throws {
    let bench = try under.bench(precision: .bf16)
    let (rows, outputs, inputs) = (133, 70, 1101)
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

  @Test func onlyReducedMatricesAreHalved() throws {
    let matrix = HostMatrix(
      weight: (0..<384 * 384).map { Float($0 % 251) / 251 }, bias: nil, outputs: 384, inputs: 384)
    let bf16 = try CPUBackend(threads: 1, precision: .bf16)
    let whole = try bf16.prepare(matrix).byteCount
    #expect(whole >= 384 * 384 * 4)
    #expect(try bf16.prepareReduced(matrix).byteCount < whole * 51 / 100)
  }
}
