/// Numbers as files have them: the least significant byte first, at any address.
extension UnsafeRawBufferPointer {
  /// The number that begins `offset` bytes from the start. The caller has checked that all of its
  /// bytes are there; where they are not this traps, in release builds too.
  @inlinable
  package func littleEndian<Number: FixedWidthInteger & BitwiseCopyable>(
    _: Number.Type, at offset: Int
  ) -> Number {
    precondition(offset >= 0 && offset <= count - MemoryLayout<Number>.size)
    return unsafe Number(littleEndian: loadUnaligned(fromByteOffset: offset, as: Number.self))
  }
}

extension [UInt8] {
  package mutating func append(littleEndian number: some FixedWidthInteger) {
    unsafe Swift.withUnsafeBytes(of: number.littleEndian) { unsafe append(contentsOf: $0) }
  }
}
