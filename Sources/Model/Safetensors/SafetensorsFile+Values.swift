internal import Compute

extension SafetensorsFile {
  /// The tensor's first value, row-major, that is NaN, infinite or above `most` (finite, not negative)
  /// in magnitude; nil where there is none. Reads the tensor once, at the speed of memory. Throws
  /// `noTensor`, and `wrongType` for what is neither F32, F16 nor BF16.
  package func firstValue(
    of name: String, beyond most: Float
  ) throws -> (index: Int, value: Float)? {
    let stored = try type(name)
    guard let type = stored.floats else {
      throw SafetensorsError.wrongType(
        file: source, name: name, found: stored, expected: "floating-point numbers")
    }
    return try unsafe withBytes(name) { bytes in
      guard let index = unsafe Conversion.first(beyond: most, in: bytes, as: type) else {
        return nil
      }
      var value: Float = 0
      let place = index * type.byteCount
      unsafe withUnsafeMutablePointer(to: &value) {
        unsafe Conversion.load(
          UnsafeRawBufferPointer(rebasing: bytes[place..<place + type.byteCount]), as: type,
          into: UnsafeMutableBufferPointer(start: $0, count: 1))
      }
      return (index, value)
    }
  }
}
