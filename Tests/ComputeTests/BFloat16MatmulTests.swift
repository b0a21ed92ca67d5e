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
          let found = try ReducedMatmul.matmul(
            .bf16, x, rows: rows, whole, activation: activation, on: under)
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
    #expect(
      try ReducedMatmul.matmul(.bf16, x, rows: x.count, one, on: under) == x.map(Self.rounded))
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
    let found = try ReducedMatmul.matmul(
      .bf16, rows.flatMap(\.self), rows: rows.count, matrix, on: under)
    let alone = try ReducedMatmul.matmul(.bf16, plain, rows: 1, matrix, on: under)
    for r in rows.indices {
      let row = found[3 * r..<3 * r + 3]
      if r % 2 == 0 {
        #expect(Array(row) == alone)
      } else {
        #expect(row.allSatisfy { !$0.isFinite })
      }
    }
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
