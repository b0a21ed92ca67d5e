import Compute
import ComputeCPU
import TestSupport
import Testing

enum ReducedMatmul {
  static func matmul(
    _ precision: Precision, _ x: [Float], rows: Int, _ matrix: HostMatrix,
    activation: Activation = .none, on under: BackendUnderTest
  ) throws -> [Float] {
    let bench = try under.bench(precision: precision)
    let out = try bench.poisoned(rows: rows, columns: matrix.outputs)
    try bench.backend.matmul(
      bench.tensor(x, rows: rows, columns: matrix.inputs), bench.backend.prepareReduced(matrix),
      activation: activation, into: out)
    return try bench.read(out)
  }
}

/// What holds of every reduced type, on every instruction set.
@Suite struct ReducedMatmulTests {
  @Test(arguments: [Precision.bf16, .int8], BackendUnderTest.all)
  func columnsBesideTheOutputStay(precision: Precision, _ under: BackendUnderTest) throws {
    let bench = try under.bench(precision: precision)
    let isBytes = precision == .int8
    let (rows, outputs, inputs) = (17, 39, isBytes ? 20 : 21)
    func rounded(_ values: [Float]) -> [Float] {
      isBytes ? values : values.map(BFloat16MatmulTests.rounded)
    }
    let wide = try bench.tensor([Float](repeating: 7, count: rows * 64), rows: rows, columns: 64)
    let x = bench.noise(rows * 64)
    let matrix = HostMatrix(
      weight: rounded(bench.noise(outputs * inputs)), bias: nil, outputs: outputs, inputs: inputs)
    try bench.backend.matmul(
      bench.tensor(x, rows: rows, columns: 64).columns(3..<3 + inputs),
      bench.backend.prepareReduced(matrix), activation: .none, into: wide.columns(10..<49))
    var inner: [Float] = []
    for r in 0..<rows { inner += rounded(Array(x[r * 64 + 3..<r * 64 + 3 + inputs])) }
    let product: [Double]
    if isBytes {
      product = ByteProduct.linear(inner, rows: rows, matrix)
    } else {
      product = Reference.linear(doubles(inner), rows: rows, matrix)
    }
    var expected = [Double](repeating: 7, count: rows * 64)
    for r in 0..<rows {
      for j in 0..<outputs { expected[r * 64 + 10 + j] = product[r * outputs + j] }
    }
    #expect(difference(try bench.read(wide), expected) < 1e-5)
  }

  /// Alone equals together, to the bit: a row's ranges are its own.
  @Test(arguments: [(Precision.bf16, 1101), (.int8, 1100)], BackendUnderTest.all)
  func aRowAloneEqualsTheRowInABatch(
    _ what: (precision: Precision, inputs: Int), _ under: BackendUnderTest
  ) throws {
    let bench = try under.bench(precision: what.precision)
    let (outputs, inputs) = (70, what.inputs)
    let matrix = try bench.backend.prepareReduced(
      HostMatrix(
        weight: bench.noise(outputs * inputs), bias: bench.noise(outputs), outputs: outputs,
        inputs: inputs))
    let (together, alone) = try bench.togetherAndAlone(matrix, rows: 133)
    #expect(together == alone)
  }
}
