import Compute
import TestSupport
import Testing

/// Which stored number is not one to compute with, against a plain search.
@Suite struct FirstBeyondTests {
  private static let types = [ElementType.float32, .float16, .bfloat16]

  /// `offset` bytes before the values: a file may begin its data at any byte. Their count for none.
  private func first(_ values: [Float], _ type: ElementType, most: Float, offset: Int = 0) -> Int {
    var packed = [UInt8](repeating: 0xFF, count: offset + type.byteCount * values.count)
    return unsafe packed.withUnsafeMutableBytes { bytes -> Int in
      let memory = unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[offset...])
      unsafe values.withUnsafeBufferPointer {
        unsafe Conversion.store($0, as: type, into: memory)
      }
      return unsafe Conversion.first(beyond: most, in: UnsafeRawBufferPointer(memory), as: type)
        ?? values.count
    }
  }

  @Test func findsEveryKindAtEveryPlace() {
    for kind in Self.types {
      for count in [1, 7, 4096, 4097, 10_000] {
        var values = (0..<count).map { Float($0 % 2001) - 1000 }
        #expect(first(values, kind, most: 1000, offset: 1) == count)
        for place in [0, 1, 4095, 4096, count - 1] where place < count {
          for bad in [Float.nan, -.nan, .infinity, -.infinity, 3e38, -3e38, 1008, -1008] {
            let old = values[place]
            values[place] = bad
            #expect(first(values, kind, most: 1000, offset: 1) == place, "\(kind) \(bad)")
            values[place] = old
          }
        }
      }
      #expect(first([], kind, most: 1000) == 0)
      #expect(first([0, 1, .nan, 3e38], kind, most: 1000) == 2, "the first of several")
    }
  }

  /// A bound between two numbers of the type: the one below passes, the one above does not.
  @Test func boundsBetweenNumbers() {
    for most: Float in [0, 1000, 1000.3, 65519] {
      for half in (0 as UInt16)...0x7C00 {
        let value = Float(Float16(bitPattern: half))
        let found = first([value], .float16, most: most)
        guard found != (value <= most ? 1 : 0) else { continue }
        Issue.record("\(value) with \(most)")
        return
      }
      for bits in (0 as UInt32)...0x7F80 {
        let value = Float(bitPattern: bits << 16)
        let found = first([value], .bfloat16, most: most)
        guard found != (value <= most ? 1 : 0) else { continue }
        Issue.record("\(value) with \(most)")
        return
      }
      #expect(first([most, most.nextUp], .float32, most: most) == 1)
    }
  }
}
