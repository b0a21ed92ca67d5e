import Compute
import Model
import TestSupport
import Testing

@testable import Manager

struct PLOTRowFormatTests {
  @Test func sizesAreTheContracts() {
    #expect(PLOTRowFormat(type: .int8, hidden: 384).stride == 1_164)
    #expect(PLOTRowFormat(type: .float16, hidden: 384).stride == 2_304)
    #expect(PLOTRowFormat(type: .float32, hidden: 384).stride == 4_608)
    #expect(PLOTRowFormat(type: .float16, hidden: 5).stride == 32)
    #expect(PLOTRowFormat(type: .int8, hidden: 5).stride == 28)
  }

  @Test func errorsStayWithinHalfAStep() {
    var generator = SeededGenerator(seed: 4)
    for hidden in [1, 5, 384] {
      let values = (0..<3 * hidden).map { _ in Float.random(in: -17...17, using: &generator) }
      #expect(PLOTRowFormat(type: .float32, hidden: hidden).rounded(values) == values)
      for (x, y) in zip(values, PLOTRowFormat(type: .float16, hidden: hidden).rounded(values)) {
        #expect(y == Float(Float16(x)))
      }
      let coded = PLOTRowFormat(type: .int8, hidden: hidden).rounded(values)
      for slot in 0..<3 {
        let range = slot * hidden..<(slot + 1) * hidden
        let step = (values[range].map(abs).max() ?? 0) / 127
        for i in range { #expect(abs(values[i] - coded[i]) <= step * 0.5001) }
      }
    }
  }

  @Test func oddValuesDoNotTrap() {
    for odd in [
      Float.nan, .infinity, -.infinity, .greatestFiniteMagnitude, .leastNonzeroMagnitude, -0.0,
      1e-31,
    ] {
      for type in PLOTRowType.allCases {
        let back = PLOTRowFormat(type: type, hidden: 2).rounded([odd, 1, 0, 0, 2, 3])
        #expect(Array(back[4...]) == [2, 3] || type == .int8)
        #expect(back[2] == 0 && back[3] == 0)
        if !odd.isFinite { #expect(!back[0].isFinite) }
      }
    }
    let tiny = PLOTRowFormat(type: .int8, hidden: 1).rounded([.leastNonzeroMagnitude, 0, 1e-31])
    #expect(tiny == [0, 0, 0])
  }

  @Test func namesAreTheCommandLines() throws {
    for type in PLOTRowType.allCases { #expect(try PLOTRowType(parsing: type.name) == type) }
    #expect(throws: PLOTError.rowType("fp8")) { try PLOTRowType(parsing: "fp8") }
  }
}
