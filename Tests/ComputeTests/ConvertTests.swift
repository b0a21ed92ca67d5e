import CSIMD
import Testing

/// The C conversions against Swift's own Float16 and against the definition of bfloat16.
@Suite struct ConvertTests {
  private func float16(_ values: [Float]) -> [UInt16] {
    var packed = [UInt16](repeating: 0, count: values.count)
    unsafe vb_float32_to_float16(values, &packed, values.count)
    return packed
  }

  private func bfloat16(_ values: [Float]) -> [UInt16] {
    var packed = [UInt16](repeating: 0, count: values.count)
    unsafe vb_float32_to_bfloat16(values, &packed, values.count)
    return packed
  }

  @Test func everyHalf() {
    let halves = (UInt16.min...UInt16.max).map { $0 }
    var floats = [Float](repeating: 0, count: halves.count)
    unsafe vb_float16_to_float32(halves, &floats, halves.count)
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
    let packed: [UInt16] = [0x3F80, 0xC020, 0x0001]
    var values = [Float](repeating: 0, count: 3)
    unsafe vb_bfloat16_to_float32(packed, &values, 3)
    #expect(values == [1, -2.5, Float(bitPattern: 0x1_0000)])
  }

  /// A file's data may begin anywhere.
  @Test func oddAddresses() {
    let halves: [UInt16] = (0..<100).map { Float16(Float($0) / 8).bitPattern }
    var bytes: [UInt8] = [0]
    for half in halves { bytes += [UInt8(half & 0xFF), UInt8(half >> 8)] }
    var values = [Float](repeating: 0, count: 100)
    unsafe bytes.withUnsafeBytes { raw in
      unsafe vb_float16_to_float32(raw.baseAddress?.advanced(by: 1), &values, 100)
    }
    #expect(values == (0..<100).map { Float($0) / 8 })
  }
}
