import Compute
import Testing

/// Conversions against Swift's own Float16 and against the definition of bfloat16.
@Suite struct ConvertTests {
  private func packed(_ values: [Float], as type: ElementType) -> [UInt16] {
    var packed = [UInt16](repeating: 0, count: values.count)
    unsafe packed.withUnsafeMutableBytes { packed in
      unsafe values.withUnsafeBufferPointer { unsafe Conversion.store($0, as: type, into: packed) }
    }
    return packed
  }

  private func float16(_ values: [Float]) -> [UInt16] { packed(values, as: .float16) }
  private func bfloat16(_ values: [Float]) -> [UInt16] { packed(values, as: .bfloat16) }

  private func floats(_ bytes: UnsafeRawBufferPointer, as type: ElementType) -> [Float] {
    var values = [Float](repeating: 0, count: bytes.count / type.byteCount)
    unsafe values.withUnsafeMutableBufferPointer {
      unsafe Conversion.load(bytes, as: type, into: $0)
    }
    return values
  }

  private func floats(_ packed: [UInt16], as type: ElementType) -> [Float] {
    unsafe packed.withUnsafeBytes { unsafe floats($0, as: type) }
  }

  @Test func everyHalf() {
    let halves = (UInt16.min...UInt16.max).map { $0 }
    let floats = floats(halves, as: .float16)
    let wrong = zip(halves, floats).filter { half, float in
      let expected = Float(Float16(bitPattern: half))
      return expected.isNaN ? !float.isNaN : float.bitPattern != expected.bitPattern
    }
    #expect(wrong.isEmpty)
    let back = zip(halves, float16(floats)).filter { half, again in
      Float16(bitPattern: half).isNaN ? !Float16(bitPattern: again).isNaN : half != again
    }
    #expect(back.isEmpty)
  }

  /// Every half's neighbourhood, the midpoints (ties), and a sweep over all float exponents.
  @Test func roundingToHalf() {
    var floats: [Float] = []
    for bits: UInt16 in 0..<0x7C00 {
      let low = Float(Float16(bitPattern: bits))
      let high = bits == 0x7BFF ? 65536 : Float(Float16(bitPattern: bits + 1))
      let middle = (low + high) / 2
      floats += [low.nextUp, middle.nextDown, middle, middle.nextUp, high.nextDown]
    }
    for bits in stride(from: UInt32(0), to: 0x7F80_0000, by: 0x1_2345) {
      floats.append(Float(bitPattern: bits))
    }
    floats += floats.map { -$0 }
    let wrong = zip(floats, float16(floats)).filter { Float16($0).bitPattern != $1 }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
  }

  @Test func bfloat() {
    let floats = stride(from: UInt32(0), to: 0xFFFF_0000, by: 0x3_1415).map(Float.init(bitPattern:))
    let wrong = zip(floats, bfloat16(floats)).filter { float, packed in
      let value = Float(bitPattern: UInt32(packed) << 16)
      if float.isNaN { return !value.isNaN }
      // Nearest, ties to even, found by trying both neighbours.
      let low = Float(bitPattern: float.bitPattern & 0xFFFF_0000)
      let high = Float(bitPattern: (float.bitPattern & 0xFFFF_0000) &+ 0x1_0000)
      let remainder = float.bitPattern & 0xFFFF
      let even = low.bitPattern & 0x1_0000 == 0 ? low : high
      let expected = remainder < 0x8000 ? low : remainder > 0x8000 ? high : even
      return value.bitPattern != expected.bitPattern
    }
    #expect(wrong.isEmpty, "\(wrong.prefix(5))")
    #expect(bfloat16([Float(bitPattern: 0x7F80_0001)]) == [0x7FC0])
    #expect(
      self.floats([0x3F80, 0xC020, 0x0001], as: .bfloat16)
        == [1, -2.5, Float(bitPattern: 0x1_0000)])
  }

  /// A file's data may begin anywhere.
  @Test func oddAddresses() {
    let halves: [UInt16] = (0..<100).map { Float16(Float($0) / 8).bitPattern }
    var bytes: [UInt8] = [0]
    for half in halves { bytes += [UInt8(half & 0xFF), UInt8(half >> 8)] }
    let values = unsafe bytes.withUnsafeBytes { raw in
      unsafe floats(UnsafeRawBufferPointer(rebasing: raw[1...]), as: .float16)
    }
    #expect(values == (0..<100).map { Float($0) / 8 })
  }

  /// To nearest, ties to even; what does not fit is clamped, and nothing traps.
  @Test func wholeNumbers() {
    let values: [Float] = [
      0, 1.5, 2.5, -2.5, 127, 128, -129, 3e9, -3e9, .infinity, -.infinity, .nan,
      .greatestFiniteMagnitude,
    ]
    func whole(_ type: ElementType) -> [Float] {
      var bytes = [UInt8](repeating: 0, count: values.count * type.byteCount)
      unsafe bytes.withUnsafeMutableBytes { bytes in
        unsafe values.withUnsafeBufferPointer { unsafe Conversion.store($0, as: type, into: bytes) }
      }
      return unsafe bytes.withUnsafeBytes { unsafe floats($0, as: type) }
    }
    #expect(whole(.int8) == [0, 2, 2, -2, 127, 127, -128, 127, -128, 127, -128, 0, 127])
    let (most, least) = (Float(Int32.max), Float(Int32.min))
    #expect(
      whole(.int32) == [0, 2, 2, -2, 127, 128, -129, most, least, most, least, 0, most])
    #expect(whole(.float32).map(\.bitPattern) == values.map(\.bitPattern))
  }
}
