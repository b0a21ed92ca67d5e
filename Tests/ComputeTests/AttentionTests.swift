import Compute
import ComputeCPU
import TestSupport
import Testing

@Suite struct AttentionTests {
  struct Case: Sendable {
    var lengths: [Int]
    var heads: Int
    var size: Int
    var scale: Float = 1
  }

  static let cases = [
    Case(lengths: [1], heads: 12, size: 32),
    Case(lengths: [3, 1, 2, 3, 3, 4, 5, 1], heads: 12, size: 32),
    Case(lengths: [Int](repeating: 3, count: 200), heads: 2, size: 32),
    Case(lengths: [40, 17, 64, 5, 128], heads: 3, size: 32),
    Case(lengths: [33, 90], heads: 2, size: 64),
    Case(lengths: [7, 20], heads: 4, size: 8),
    Case(lengths: [6, 2, 31], heads: 1, size: 3),
    Case(lengths: [19], heads: 2, size: 100),
    Case(lengths: [2, 512, 9], heads: 1, size: 32),
    Case(lengths: [513, 1100], heads: 1, size: 16),
    Case(lengths: [30, 3, 700], heads: 1, size: 8, scale: 12),
  ]

  /// One reference for all backends: in double precision it is what takes the time.
  @Test(arguments: cases)
  func everySequenceAttendsToItselfOnly(_ one: Case) throws {
    var random = SeededGenerator(seed: UInt64(one.lengths.count))
    let layout = SequenceLayout(lengths: one.lengths)
    let hidden = one.heads * one.size
    let values = (0..<layout.rows * 3 * hidden).map { _ in
      Float.random(in: -one.scale..<one.scale, using: &random)
    }
    let expected = Reference.attention(
      doubles(values), layout: layout, heads: one.heads, hidden: hidden)
    for under in BackendUnderTest.all {
      let bench = try under.bench()
      let out = try bench.poisoned(rows: layout.rows, columns: hidden)
      try bench.backend.attention(
        bench.tensor(values, rows: layout.rows, columns: 3 * hidden),
        sequences: bench.backend.place(layout), heads: one.heads, into: out)
      let error = difference(try bench.read(out), expected)
      #expect(
        error < 2e-6 * Double(one.scale * one.scale), "\(under.testDescription): \(error)")
    }
  }

  @Test(arguments: BackendUnderTest.all)
  func aSequenceAloneEqualsTheSequenceInABatch(_ under: BackendUnderTest) throws {
    let bench = try under.bench()
    let lengths = [3, 40, 1, 16, 300, 4, 5, 2, 130]
    let (heads, hidden) = (3, 96)
    let layout = SequenceLayout(lengths: lengths)
    let qkv = try bench.tensor(
      bench.noise(layout.rows * 3 * hidden), rows: layout.rows, columns: 3 * hidden)
    let together = try bench.poisoned(rows: layout.rows, columns: hidden)
    let alone = try bench.poisoned(rows: layout.rows, columns: hidden)
    try bench.backend.attention(
      qkv, sequences: bench.backend.place(layout), heads: heads, into: together)
    for i in 0..<layout.count {
      let rows = layout.rows(of: i)
      try bench.backend.attention(
        qkv.rows(rows), sequences: bench.backend.place(SequenceLayout(lengths: [rows.count])),
        heads: heads, into: alone.rows(rows))
    }
    #expect(try bench.read(together) == bench.read(alone))
  }

  /// Biases by distance, of more distances than the longest sequence has.
  @Test(arguments: cases) func biasesAreAddedToTheScores(_ one: Case) throws {
    var random = SeededGenerator(seed: UInt64(one.lengths.count))
    let layout = SequenceLayout(lengths: one.lengths)
    let (hidden, span) = (one.heads * one.size, 2 * (layout.longest + 3) - 1)
    let values = (0..<layout.rows * 3 * hidden).map { _ in Float.random(in: -1..<1, using: &random)
    }
    let bias = (0..<one.heads * span).map { _ in Float.random(in: -8..<8, using: &random) }
    let expected = Reference.attention(
      doubles(values), layout: layout, heads: one.heads, hidden: hidden, bias: doubles(bias))
    for under in BackendUnderTest.all {
      let bench = try under.bench()
      let out = try bench.poisoned(rows: layout.rows, columns: hidden)
      let table = try bench.tensor(bias, rows: one.heads, columns: span)
      let qkv = try bench.tensor(values, rows: layout.rows, columns: 3 * hidden)
      try bench.backend.attention(
        qkv, sequences: bench.backend.place(layout), heads: one.heads, bias: table, into: out)
      let together = try bench.read(out)
      let error = difference(together, expected)
      #expect(error < 4e-6, "\(under.testDescription): \(error)")
      let alone = try bench.poisoned(rows: layout.rows, columns: hidden)
      for i in 0..<layout.count {
        let rows = layout.rows(of: i)
        try bench.backend.attention(
          qkv.rows(rows), sequences: bench.backend.place(SequenceLayout(lengths: [rows.count])),
          heads: one.heads, bias: table, into: alone.rows(rows))
      }
      #expect(try bench.read(alone) == together)
    }
  }
}
