extension Conversion {
  /// The place of the first of the stored numbers that is NaN, infinite or above `most` (finite, not
  /// negative) in magnitude; nil where there is none. `type` is a floating-point one.
  ///
  /// Without the sign bit, floating-point numbers order as the whole numbers that their bits are, with
  /// infinity and then NaN above all others: one comparison finds all three kinds. A block is read
  /// whole, as a maximum, so that the loop becomes vectors; only a block that holds something is searched.
  package static func first(
    beyond most: Float, in memory: UnsafeRawBufferPointer, as type: ElementType
  ) -> Int? {
    switch type {
    case .float32: unsafe first(above: Int32(bitPattern: most.bitPattern), in: memory)
    case .float16:
      // The largest half that is not above `most`: rounding to nearest may have gone past it.
      unsafe first(
        above: Int16(bitPattern: most.float16) - (Float(float16: most.float16) > most ? 1 : 0),
        in: memory)
    case .bfloat16:
      unsafe first(above: Int16(truncatingIfNeeded: most.bitPattern >> 16), in: memory)
    case .int8, .int32: preconditionFailure("whole numbers are all finite")
    }
  }

  @inline(__always)
  private static func first<Bits: FixedWidthInteger & SignedInteger & BitwiseCopyable>(
    above limit: Bits, in memory: UnsafeRawBufferPointer
  ) -> Int? {
    guard let start = memory.baseAddress else { return nil }
    let size = MemoryLayout<Bits>.size
    let (count, block) = (memory.count / size, 4096)
    func magnitude(_ place: Int) -> Bits {
      unsafe start.loadUnaligned(fromByteOffset: place &* size, as: Bits.self) & Bits.max
    }
    var from = 0
    while from < count {
      let end = Swift.min(count, from + block)
      var (largest, i): (Bits, Int) = (0, from)
      while i < end {
        largest = Swift.max(largest, magnitude(i))
        i &+= 1
      }
      if largest > limit { return (from..<end).first { magnitude($0) > limit } }
      from = end
    }
    return nil
  }
}
