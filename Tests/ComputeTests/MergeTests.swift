import Compute
import ComputeCPU
import Foundation
import Testing

@Suite struct MergeTests {
  /// Stored rows in memory of their own, decoded beside.
  final class Rows {
    private let bench: Bench
    private(set) var rows: [NGramRow] = []
    private(set) var values: [[Double]] = []

    init(_ bench: Bench) { self.bench = bench }

    func add(_ slots: [Float], hidden: Int, type: ElementType) throws {
      let bytes = NGramRow.byteCount(hidden: hidden, type: type)
      let zeros = [Float](repeating: 0, count: bytes)
      let row = try bench.tensor(zeros, rows: 1, columns: bytes, type: .int8)
      let pointer = try unsafe #require(UnsafeMutableRawPointer(bitPattern: row.address))
      rows.append(NGramRow(address: row.address, type: type))
      var decoded: [Double] = []
      for (i, value) in slots.enumerated() {
        switch type {
        case .float16:
          unsafe pointer.storeBytes(of: Float16(value), toByteOffset: 2 * i, as: Float16.self)
          decoded.append(Double(Float16(value)))
        case .int8:
          let scale = Float(1 + i / hidden) / 127
          let code = Int8(max(-127, min(127, (value / scale).rounded())))
          unsafe pointer.storeBytes(of: scale, toByteOffset: 4 * (i / hidden), as: Float.self)
          unsafe pointer.storeBytes(of: code, toByteOffset: 12 + i, as: Int8.self)
          decoded.append(Double(scale) * Double(code))
        default:
          unsafe pointer.storeBytes(of: value, toByteOffset: 4 * i, as: Float.self)
          decoded.append(Double(value))
        }
      }
      values.append(decoded)
    }

    func addZero(hidden: Int) {
      rows.append(.zero)
      values.append([Double](repeating: 0, count: 3 * hidden))
    }
  }

  @Test(arguments: BackendUnderTest.all)
  func overlappingSlotsAreSummed(_ under: BackendUnderTest) throws {
    for hidden in [1, 5, 16, 20, 32, 100, 384] {
      let bench = try under.bench()
      let layout = SequenceLayout(lengths: [1, 2, 3, 70, 1, 33, 1])
      let stored = Rows(bench)
      for r in 0..<layout.rows {
        switch (r * 5) % 7 {
        case 0: stored.addZero(hidden: hidden)
        case 1, 2: try stored.add(bench.noise(3 * hidden), hidden: hidden, type: .float16)
        case 3, 4: try stored.add(bench.noise(3 * hidden), hidden: hidden, type: .int8)
        default: try stored.add(bench.noise(3 * hidden), hidden: hidden, type: .float32)
        }
      }
      let out = try bench.poisoned(rows: layout.rows, columns: hidden)
      try bench.backend.mergeNGrams(
        stored.rows, sequences: bench.backend.place(layout), into: out)
      var expected: [Double] = []
      for s in 0..<layout.count {
        let rows = layout.rows(of: s)
        for t in rows {
          for c in 0..<hidden {
            var sum = stored.values[t][hidden + c]
            if rows.contains(t + 1) { sum += stored.values[t + 1][c] }
            if rows.contains(t - 1) { sum += stored.values[t - 1][2 * hidden + c] }
            expected.append(sum)
          }
        }
      }
      #expect(difference(try bench.read(out), expected) < 1e-6, "hidden \(hidden)")
    }
  }
}
