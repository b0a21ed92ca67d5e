import Compute
import ComputeCPU
import Foundation
import Testing

/// Embedding, merging, gates, norms and pooling, against their definitions.
@Suite struct RowTests {
  static let widths = [1, 3, 16, 32, 100, 384]

  private func norm(_ bench: Bench, _ width: Int) throws -> (Normalization, [Float], [Float]) {
    let gamma = bench.noise(width)
    let beta = bench.noise(width)
    return (
      Normalization(
        gamma: try bench.tensor(gamma, rows: 1, columns: width),
        beta: try bench.tensor(beta, rows: 1, columns: width), epsilon: 1e-5), gamma, beta
    )
  }

  @Test(arguments: BackendUnderTest.all)
  func addNormMatchesAndMayBeInPlace(_ under: BackendUnderTest) throws {
    for width in Self.widths {
      let bench = try under.bench()
      let rows = 101
      let (norm, gamma, beta) = try norm(bench, width)
      // A mean far from zero is what a careless variance gets wrong.
      let x = bench.noise(rows * width, scale: 3).map { $0 + 50 }
      let residual = bench.noise(rows * width)
      let expected = Reference.norm(
        zip(x, residual).map { Double($0) + Double($1) }, gamma: gamma, beta: beta, epsilon: 1e-5)
      let out = try bench.poisoned(rows: rows, columns: width)
      let a = try bench.tensor(x, rows: rows, columns: width)
      let b = try bench.tensor(residual, rows: rows, columns: width)
      try bench.backend.addNorm(a, residual: b, norm: norm, into: out)
      let first = try bench.read(out)
      #expect(difference(first, expected) < (width < 16 ? 5e-3 : 5e-5), "width \(width)")
      try bench.backend.addNorm(a, residual: b, norm: norm, into: b)
      #expect(try bench.read(b) == first)
      try bench.write(residual, to: b)
      try bench.backend.addNorm(a, residual: b, norm: norm, into: a)
      #expect(try bench.read(a) == first)
    }
  }

  @Test(arguments: BackendUnderTest.all)
  func embeddingAndSecondTables(_ under: BackendUnderTest) throws {
    for width in Self.widths {
      let bench = try under.bench()
      let layout = SequenceLayout(lengths: [3, 1, 60, 7])
      let rows = layout.rows
      let (norm, gamma, beta) = try norm(bench, width)
      let word = bench.noise(50 * width)
      let position = bench.noise(64 * width)
      let type = bench.noise(2 * width)
      let tables = EmbeddingTables(
        word: try bench.tensor(word, rows: 50, columns: width),
        position: try bench.tensor(position, rows: 64, columns: width),
        tokenType: try bench.tensor(type, rows: 2, columns: width))
      let ids = (0..<rows).map { _ in Int32(bench.whole(below: 50)) }
      let places = (0..<rows).map { _ in Int32(bench.whole(below: 64)) }
      let types = (0..<rows).map { _ in Int32(bench.whole(below: 2)) }
      func sum(_ first: (Int) -> Int, of values: [Float], _ place: (Int) -> Int) -> [Double] {
        (0..<rows * width).map { i in
          let (r, c) = (i / width, i % width)
          return Double(values[first(r) * width + c]) + Double(position[place(r) * width + c])
            + Double(type[Int(types[r]) * width + c])
        }
      }
      let tolerance = width < 16 ? 5e-3 : 2e-5
      let out = try bench.poisoned(rows: rows, columns: width)
      try bench.backend.embed(
        ids: try Indices(ids, below: tables.word?.rows ?? 0),
        positions: try Indices(places, below: 64),
        types: try Indices(types, below: 2), tables: tables, norm: norm, into: out)
      let embedded = Reference.norm(
        sum({ Int(ids[$0]) }, of: word, { Int(places[$0]) }), gamma: gamma, beta: beta,
        epsilon: 1e-5)
      #expect(difference(try bench.read(out), embedded) < tolerance, "width \(width)")

      let x = bench.noise(rows * width)
      let state = try bench.tensor(x, rows: rows, columns: width)
      var second = tables
      second.word = nil
      try bench.backend.addPositions(
        to: state, types: try Indices(types, below: 2), sequences: bench.backend.place(layout),
        tables: second, norm: norm)
      var place: [Int] = []
      for i in 0..<layout.count { place += 0..<layout.rows(of: i).count }
      let added = Reference.norm(
        sum({ $0 }, of: x, { place[$0] }), gamma: gamma, beta: beta, epsilon: 1e-5)
      #expect(difference(try bench.read(state), added) < tolerance, "width \(width)")
    }
  }

  @Test(arguments: BackendUnderTest.all)
  func gateAndPooling(_ under: BackendUnderTest) throws {
    for width in Self.widths {
      let bench = try under.bench()
      let layout = SequenceLayout(lengths: [1, 2, 50, 3, 300])
      let x = bench.noise(layout.rows * width)
      let gate = bench.noise(width)
      let state = try bench.tensor(x, rows: layout.rows, columns: width)
      for pooling in Pooling.allCases {
        let out = try bench.poisoned(rows: layout.count, columns: width)
        try bench.backend.pool(
          state, sequences: bench.backend.place(layout), pooling: pooling, into: out)
        var expected: [Double] = []
        for i in 0..<layout.count {
          let rows = pooling == .cls ? layout.rows(of: i).prefix(1) : layout.rows(of: i)[...]
          for c in 0..<width {
            let sum = rows.reduce(0.0) { $0 + Double(x[$1 * width + c]) }
            expected.append(sum / Double(rows.count))
          }
          guard pooling == .normalizedMean else { continue }
          let norm = expected.suffix(width).reduce(0) { $0 + $1 * $1 }.squareRoot()
          for place in expected.indices.suffix(width) { expected[place] /= norm }
        }
        #expect(difference(try bench.read(out), expected) < 1e-5)
      }
      try bench.backend.applyGate(
        state, gate: bench.tensor(gate, rows: 1, columns: width), bias: 0.25)
      var expected = doubles(x)
      for r in 0..<layout.rows {
        var dot = 0.25
        for c in 0..<width { dot += Double(x[r * width + c]) * Double(gate[c]) }
        for c in 0..<width { expected[r * width + c] *= 1 / (1 + exp(-dot)) }
      }
      #expect(difference(try bench.read(state), expected) < 2e-6)
    }
  }
}
