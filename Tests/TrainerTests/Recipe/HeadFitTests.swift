import ComputeCPU
import Model
import Testing
import Trainer

@Suite struct HeadFitTests {
  private static let rows: [[Float]] = [
    [1.054, 0.259, 0.059], [-1.096, -0.165, -0.206], [-0.047, -0.371, -0.024],
    [-0.283, -0.772, 0.518], [0.518, 1.007, 0.029], [-0.236, -0.324, -0.913],
    [0.577, -0.648, -0.701], [-0.124, 0.878, 0.141], [-0.601, -0.418, 0.371],
    [-0.094, -0.454, -0.135], [0.442, 1.166, -0.73], [-0.371, -0.471, -1.426],
  ]
  private static let labels = (0..<12).map { Int32($0 % 3) }

  private func table(_ rows: [[Float]], _ backend: CPUBackend) throws -> FeatureTable {
    try FeatureTable(Array(rows.joined()), hidden: rows[0].count, backend: backend)
  }

  /// scikit-learn 1.7's LogisticRegression(C=10, tol=1e-10) on the same rows, whose mean norm is 1.
  @Test func isLogisticRegression() throws {
    let expected: [[Float]] = [
      [0.92784, 0.02363, 0.04853], [0.01054, 0.60713, 0.38233], [0.53255, 0.06863, 0.39882],
      [0.71663, 0.0185, 0.26486], [0.04736, 0.91089, 0.04175], [0.12838, 0.1095, 0.76212],
      [0.82717, 0.00236, 0.17048], [0.00598, 0.96666, 0.02737], [0.24881, 0.22254, 0.52865],
      [0.49329, 0.05475, 0.45196], [0.00758, 0.95678, 0.03564], [0.05386, 0.05864, 0.8875],
    ]
    let backend = try CPUBackend(threads: 2)
    let norms = Self.rows.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
    let mean = norms.reduce(0, +) / 12
    // The table divides by the mean norm once more.
    let problem = HeadProblem(
      try table(Self.rows, backend), .classes(Self.labels), outputs: 3,
      strength: Double(10 * mean * mean))
    let head = try HeadFit(backend).solve([problem])[0]
    for (row, expected) in zip(Self.rows, expected) {
      for (a, b) in zip(Readout.softmax(head(row[...])), expected) { #expect(abs(a - b) < 2e-3) }
    }
  }

  /// Rows that take no part might as well not be there.
  @Test func heldOutRowsDoNotTell() throws {
    let backend = try CPUBackend(threads: 1)
    var masked = Self.labels
    for row in [3, 4, 5, 9] { masked[row] = -1 }
    let kept = Self.rows.indices.filter { masked[$0] >= 0 }
    let (whole, part) = (
      try table(Self.rows, backend), try table(kept.map { Self.rows[$0] }, backend)
    )
    // Each table has a scale of its own, which the strength undoes.
    func strength(_ table: [[Float]]) -> Double {
      let norms = table.map { $0.reduce(0) { $0 + $1 * $1 }.squareRoot() }
      let mean = Double(norms.reduce(0, +)) / Double(norms.count)
      return 10 * mean * mean
    }
    let heads = try HeadFit(backend).solve([
      HeadProblem(whole, .classes(masked), outputs: 3, strength: strength(Self.rows)),
      HeadProblem(
        part, .classes(kept.map { masked[$0] }), outputs: 3,
        strength: strength(kept.map { Self.rows[$0] })),
    ])
    for row in Self.rows {
      let (a, b) = (Readout.softmax(heads[0](row[...])), Readout.softmax(heads[1](row[...])))
      for (a, b) in zip(a, b) { #expect(abs(a - b) < 3e-3) }
    }
  }

  @Test func numbersAndManyLabels() throws {
    let backend = try CPUBackend(threads: 1)
    let table = try table(Self.rows, backend)
    let scores = Self.rows.map { 40 * $0[0] - 20 * $0[1] + 7 }
    let many: [Float] = Self.rows.flatMap { [$0[0] > 0 ? 1 : 0, $0[1] > 0.2 ? 1 : 0] }
    let heads = try HeadFit(backend).solve([
      HeadProblem(table, .scores(scores), outputs: 1, strength: 10_000),
      HeadProblem(table, .many(many), outputs: 2, strength: 1000),
    ])
    for (i, row) in Self.rows.enumerated() {
      #expect(abs(heads[0](row[...])[0] - scores[i]) < 0.5)
      let said = heads[1](row[...])
      #expect((said[0] > 0) == (row[0] > 0) && (said[1] > 0) == (row[1] > 0.2))
    }
  }

  /// To the bit, however many are solved and however few fit at once.
  @Test func togetherIsAlone() throws {
    let backend = try CPUBackend(threads: 2)
    let table = try table(Self.rows, backend)
    let problems = (0..<7).map { i in
      HeadProblem(
        table, .classes(Self.labels.map { ($0 + Int32(i)) % 3 }), outputs: 3 + i,
        strength: Double(1 + 3 * i))
    }
    let together = try HeadFit(backend).solve(problems)
    let byTwos = try HeadFit(backend, byteLimit: 4000).solve(problems)
    for (i, problem) in problems.enumerated() {
      #expect(try HeadFit(backend).solve([problem])[0] == together[i])
      #expect(byTwos[i] == together[i])
    }
  }
}
