/// Host floats to and from the types in which tensors and files store numbers.
///
/// Plain loops over raw memory, at any address: without branches they become vectors on every machine,
/// and memory is their limit, so they need neither intrinsics nor a choice at run time.
package enum Conversion {
  /// Writes `values` in type `type` to `memory`, which has room for them. Rounds to nearest, ties to
  /// even; NaN stays NaN; what a whole number cannot hold is clamped, and NaN becomes 0.
  package static func store(
    _ values: UnsafeBufferPointer<Float>, as type: ElementType,
    into memory: UnsafeMutableRawBufferPointer
  ) {
    precondition(memory.count >= values.count * type.byteCount)
    guard let from = values.baseAddress, let to = memory.baseAddress else { return }
    var i = 0
    switch type {
    case .float32: unsafe to.copyMemory(from: from, byteCount: 4 * values.count)
    case .float16:
      while i < values.count {
        unsafe to.storeBytes(of: from[i].float16, toByteOffset: 2 &* i, as: UInt16.self)
        i &+= 1
      }
    case .bfloat16:
      while i < values.count {
        unsafe to.storeBytes(of: from[i].bfloat16, toByteOffset: 2 &* i, as: UInt16.self)
        i &+= 1
      }
    case .int8:
      for i in 0..<values.count {
        unsafe to.storeBytes(of: whole(from[i]), toByteOffset: i, as: Int8.self)
      }
    case .int32:
      for i in 0..<values.count {
        unsafe to.storeBytes(of: whole(from[i]), toByteOffset: 4 * i, as: Int32.self)
      }
    }
  }

  /// Reads as many numbers of type `type` from `memory` as `values` has places for.
  package static func load(
    _ memory: UnsafeRawBufferPointer, as type: ElementType,
    into values: UnsafeMutableBufferPointer<Float>
  ) {
    precondition(memory.count >= values.count * type.byteCount)
    guard let from = memory.baseAddress, let to = values.baseAddress else { return }
    var i = 0
    switch type {
    case .float32:
      unsafe UnsafeMutableRawPointer(to).copyMemory(from: from, byteCount: 4 * values.count)
    case .float16:
      while i < values.count {
        unsafe to[i] = Float(
          float16: from.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self))
        i &+= 1
      }
    case .bfloat16:
      while i < values.count {
        unsafe to[i] = Float(
          bfloat16: from.loadUnaligned(fromByteOffset: 2 &* i, as: UInt16.self))
        i &+= 1
      }
    case .int8:
      for i in 0..<values.count {
        unsafe to[i] = Float(from.load(fromByteOffset: i, as: Int8.self))
      }
    case .int32:
      for i in 0..<values.count {
        unsafe to[i] = Float(from.loadUnaligned(fromByteOffset: 4 * i, as: Int32.self))
      }
    }
  }

  /// To the nearest whole number that the type holds; NaN becomes 0.
  private static func whole<Number: FixedWidthInteger>(_ value: Float) -> Number {
    if value.isNaN { return 0 }
    let whole = value.rounded(.toNearestOrEven)
    return Number(exactly: whole) ?? (whole < 0 ? .min : .max)
  }
}

/// Branches are written as selects on whole words: a conversion of the processor's own would be a call
/// a number on machines that have none.
extension Float {
  /// A float16 has 1 sign, 5 exponent (bias 15) and 10 mantissa bits; a float 1, 8 (bias 127) and 23.
  @inline(__always)
  init(float16 half: UInt16) {
    let magnitude = UInt32(half & 0x7FFF) &<< 13
    let exponent = magnitude & 0x0F80_0000
    let normal = magnitude &+ (127 - 15) << 23
    // Infinity and NaN: the largest exponent maps to the largest exponent.
    let special = magnitude &+ (255 - 31) << 23
    // Subnormal: the mantissa is read behind an exponent of 2^-14, then the implied one is taken off.
    let tiny = (Float(bitPattern: magnitude &+ 113 << 23) - Float(bitPattern: 113 << 23)).bitPattern
    let bits = exponent == 0 ? tiny : exponent == 0x0F80_0000 ? special : normal
    self.init(bitPattern: bits | UInt32(half & 0x8000) &<< 16)
  }

  /// Rounded to nearest, ties to even.
  @inline(__always)
  var float16: UInt16 {
    let sign = bitPattern &>> 16 & 0x8000
    let magnitude = bitPattern & 0x7FFF_FFFF
    // Rounding may carry into the exponent, up to infinity: that is the right answer there.
    let normal = (magnitude &- (127 - 15) << 23 &+ 0xFFF &+ (magnitude &>> 13 & 1)) &>> 13
    // Below 2^-14: adding 0.5 lets the float adder shift and round the mantissa into place.
    let tiny = (Float(bitPattern: magnitude) + 0.5).bitPattern &- Float(0.5).bitPattern
    let special: UInt32 = magnitude > 0x7F80_0000 ? 0x7E00 : 0x7C00
    let half = magnitude < 113 << 23 ? tiny : magnitude >= 143 << 23 ? special : normal
    return UInt16(truncatingIfNeeded: sign | half)
  }

  /// A bfloat16 is the upper half of a float.
  @inline(__always)
  init(bfloat16 half: UInt16) { self.init(bitPattern: UInt32(half) &<< 16) }

  /// Rounded to nearest, ties to even.
  @inline(__always)
  var bfloat16: UInt16 {
    let rounded = (bitPattern &+ 0x7FFF &+ (bitPattern &>> 16 & 1)) &>> 16
    // The quiet bit keeps a NaN whose payload sits in the lower half from becoming infinity.
    let nan = bitPattern &>> 16 | 0x40
    return UInt16(truncatingIfNeeded: bitPattern & 0x7FFF_FFFF > 0x7F80_0000 ? nan : rounded)
  }
}
