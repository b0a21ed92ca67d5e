package import Compute

/// How a table stores a number of a row.
package enum PLOTRowType: UInt32, Sendable, Hashable, CaseIterable {
  /// Exact; for tests and as a judge of the others.
  case float32
  case float16
  /// Codes -127...127 with one scale a slot (left, centre, right).
  case int8

  package var elementType: ElementType {
    switch self {
    case .float32: .float32
    case .float16: .float16
    case .int8: .int8
    }
  }

  /// In magnitude; beyond it a number is infinite.
  var largest: Float {
    switch self {
    case .float16: 65_504
    case .float32, .int8: .greatestFiniteMagnitude
    }
  }

  /// As the command line writes it.
  package var name: String {
    switch self {
    case .float32: "float32"
    case .float16: "fp16"
    case .int8: "int8"
    }
  }

  package init(parsing text: String) throws(PLOTError) {
    guard let type = PLOTRowType.allCases.first(where: { $0.name == text }) else {
      throw .rowType(text)
    }
    self = type
  }
}

/// A row's layout in bytes, and the one place where values are rounded to it. Whoever computes a
/// missing row rounds it here before using it, so that an answer does not depend on whether its
/// n-gram has been admitted meanwhile.
package struct PLOTRowFormat: Sendable, Hashable {
  package let type: PLOTRowType
  package let hidden: Int

  package init(type: PLOTRowType, hidden: Int) {
    self.type = type
    self.hidden = hidden
  }

  /// Values of a row: 3 slots of `hidden`.
  package var valueCount: Int { 3 * hidden }
  package var byteCount: Int { NGramRow.byteCount(hidden: hidden, type: type.elementType) }
  /// Bytes from one row to the next; a multiple of 4, so that scales are aligned.
  package var stride: Int { (byteCount + 3) & ~3 }

  /// Writes `stride` bytes. fp16: rounded to nearest, ties to even; int8: scale = max |x| / 127 a
  /// slot, rounded to nearest. A slot with a value that is not finite stays so (int8: all NaN).
  func encode(_ values: UnsafePointer<Float>, to row: UnsafeMutableRawPointer) {
    switch type {
    case .float32:
      unsafe row.copyMemory(from: values, byteCount: 4 * valueCount)
    case .float16:
      unsafe Conversion.store(
        UnsafeBufferPointer(start: values, count: valueCount), as: .float16,
        into: UnsafeMutableRawBufferPointer(start: row, count: byteCount))
      for i in byteCount..<stride { unsafe row.storeBytes(of: 0, toByteOffset: i, as: UInt8.self) }
    case .int8:
      let scales = unsafe row.assumingMemoryBound(to: Float.self)
      let codes = unsafe (row + 12).assumingMemoryBound(to: Int8.self)
      for slot in 0..<3 {
        unsafe scales[slot] = PLOTRowFormat.quantise(
          values + slot * hidden, count: hidden, to: codes + slot * hidden)
      }
      for i in byteCount..<stride { unsafe row.storeBytes(of: 0, toByteOffset: i, as: UInt8.self) }
    }
  }

  /// Writes `valueCount` floats.
  func decode(_ row: UnsafeRawPointer, into values: UnsafeMutablePointer<Float>) {
    switch type {
    case .float32:
      unsafe UnsafeMutableRawPointer(values).copyMemory(from: row, byteCount: 4 * valueCount)
    case .float16:
      unsafe Conversion.load(
        UnsafeRawBufferPointer(start: row, count: byteCount), as: .float16,
        into: UnsafeMutableBufferPointer(start: values, count: valueCount))
    case .int8:
      let scales = unsafe row.assumingMemoryBound(to: Float.self)
      let codes = unsafe (row + 12).assumingMemoryBound(to: Int8.self)
      for slot in 0..<3 {
        let scale = unsafe scales[slot]
        for i in slot * hidden..<(slot + 1) * hidden { unsafe values[i] = scale * Float(codes[i]) }
      }
    }
  }

  /// Returns the scale.
  private static func quantise(
    _ values: UnsafePointer<Float>, count: Int, to codes: UnsafeMutablePointer<Int8>
  ) -> Float {
    var largest: Float = 0
    var finite = true
    for i in 0..<count {
      let magnitude = unsafe abs(values[i])
      finite = finite && magnitude <= .greatestFiniteMagnitude
      largest = magnitude > largest ? magnitude : largest
    }
    // Below this the reciprocal of the scale would overflow; such a slot is zeros for all purposes.
    guard finite, largest > 1e-30 else {
      unsafe codes.update(repeating: 0, count: count)
      return finite ? 0 : .nan
    }
    let inverse = 127 / largest
    // 1.5 x 2^23 leaves the sum no bits for a fraction: it is rounded to an integer, which then
    // stands in its low bits. A loop without branches, which becomes vectors.
    for i in 0..<count {
      let shifted = unsafe values[i] * inverse + 12_582_912
      unsafe codes[i] = Int8(truncatingIfNeeded: shifted.bitPattern)
    }
    return largest / 127
  }
}
