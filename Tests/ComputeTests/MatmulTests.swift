import Compute
import ComputeCPU
import TestSupport
import Testing

@Suite struct MatmulTests {
  /// Row counts around the register tiles and blocks, widths around the panels, depths around the
  /// blocks of the depth.
  static let shapes: [(rows: Int, outputs: Int, inputs: Int)] = [
    (1, 1, 1), (1, 384, 384), (2, 33, 7), (3, 8, 384), (5, 100, 64), (6, 16, 513), (7, 47, 33),
    (13, 32, 100), (14, 64, 1), (15, 65, 511), (16, 96, 384), (29, 31, 1025), (113, 48, 40),
    (225, 130, 64), (40, 96, 1536),
  ]

  /// One reference for all backends: in double precision it is what takes the time.
  @Test(arguments: shapes)
  func productsMatchTheDefinition(rows: Int, outputs: Int, inputs: Int) throws {
    var random = SeededGenerator(seed: UInt64(rows * 7 + outputs))
    func noise(_ count: Int) -> [Float] {
      (0..<count).map { _ in Float.random(in: -1..<1, using: &random) }
    }
    let x = noise(rows * inputs)
    let weight = noise(outputs * inputs).map { $0 / 2 }
    let bias = noise(outputs)
    for withBias in [true, false] {
      let matrix = HostMatrix(
        weight: weight, bias: withBias ? bias : nil, outputs: outputs, inputs: inputs)
      let plain = Reference.linear(doubles(x), rows: rows, matrix)
      for activation in [Activation.none, .gelu] {
        let expected = activation == .gelu ? plain.map(Reference.gelu) : plain
        for under in BackendUnderTest.all {
          let bench = try under.bench()
          let out = try bench.poisoned(rows: rows, columns: outputs)
          try bench.backend.matmul(
            bench.tensor(x, rows: rows, columns: inputs), bench.backend.prepare(matrix),
            activation: activation, into: out)
          let error = difference(try bench.read(out), expected)
          #expect(error < 4e-5, "\(under.testDescription), \(activation): \(error)")
        }
      }
    }
  }

  @Test(arguments: BackendUnderTest.all)
  func columnsBesideTheOutputStay(_ under: BackendUnderTest) throws {
    let bench = try under.bench()
    let (rows, outputs, inputs) = (17, 39, 20)
    let wide = try bench.tensor(
      [Float](repeating: 7, count: rows * 64), rows: rows, columns: 64)
    let x = bench.noise(rows * 64)
    let matrix = HostMatrix(
      weight: bench.noise(outputs * inputs), bias: nil, outputs: outputs, inputs: inputs)
    try bench.backend.matmul(
      bench.tensor(x, rows: rows, columns: 64).columns(3..<23), bench.backend.prepare(matrix),
      activation: .none, into: wide.columns(10..<49))
    var inner: [Double] = []
    for r in 0..<rows { inner += doubles(Array(x[r * 64 + 3..<r * 64 + 23])) }
    let product = Reference.linear(inner, rows: rows, matrix)
    var expected = [Double](repeating: 7, count: rows * 64)
    for r in 0..<rows {
      for j in 0..<outputs { expected[r * 64 + 10 + j] = product[r * outputs + j] }
    }
    #expect(difference(try bench.read(wide), expected) < 1e-5)
  }

  /// Alone equals together, to the bit: no row sees its neighbours, whatever tile it falls into.
  @Test(arguments: BackendUnderTest.all)
  func aRowAloneEqualsTheRowInABatch(_ under: BackendUnderTest) throws {
    let bench = try under.bench()
    let (outputs, inputs) = (70, 1100)
    let matrix = try bench.backend.prepare(
      HostMatrix(
        weight: bench.noise(outputs * inputs), bias: bench.noise(outputs), outputs: outputs,
        inputs: inputs))
    let (together, alone) = try bench.togetherAndAlone(matrix, rows: 133)
    #expect(together == alone)
  }

  @Test(arguments: InstructionSet.supported)
  func threadsDoNotChangeABit(_ set: InstructionSet) throws {
    var results: [[Float]] = []
    for threads in [1, 2, 5] {
      let bench = try BackendUnderTest(set: set, threads: threads).bench(seed: 9)
      let (rows, outputs, inputs) = (250, 200, 300)
      let x = try bench.tensor(bench.noise(rows * inputs), rows: rows, columns: inputs)
      let matrix = try bench.backend.prepare(
        HostMatrix(
          weight: bench.noise(outputs * inputs), bias: nil, outputs: outputs, inputs: inputs))
      let out = try bench.poisoned(rows: rows, columns: outputs)
      for _ in 0..<20 { try bench.backend.matmul(x, matrix, activation: .none, into: out) }
      results.append(try bench.read(out))
    }
    #expect(results[0] == results[1] && results[0] == results[2])
  }

  @Test(arguments: BackendUnderTest.all)
  func geluIsExact(_ under: BackendUnderTest) throws {
    let bench = try under.bench()
    let x = stride(from: Float(-9), through: 9, by: 0.0037).map { $0 } + [0, -0.0, 1e-20, 40, -40]
    let tensor = try bench.tensor(x, rows: 1, columns: x.count)
    try bench.backend.applyGELU(tensor)
    #expect(difference(try bench.read(tensor), doubles(x).map(Reference.gelu)) < 2e-6)
    let wide = try bench.tensor(x + x, rows: 2, columns: x.count)
    try bench.backend.applyGELU(wide.columns(1..<6))
    var expected = doubles(x + x)
    for r in 0..<2 {
      for i in 1..<6 { expected[r * x.count + i] = Reference.gelu(expected[r * x.count + i]) }
    }
    #expect(difference(try bench.read(wide), expected) < 2e-6)
  }
}
