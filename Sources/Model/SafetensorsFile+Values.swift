internal import CSIMD

extension SafetensorsFile {
  /// The tensor's first value, row-major, that is NaN, infinite or above `most` (finite, not negative)
  /// in magnitude; nil where there is none. Reads the tensor once, at the speed of memory. Throws
  /// `noTensor`, and `wrongType` for what is neither F32, F16 nor BF16.
  package func firstValue(
    of name: String, beyond most: Float
  ) throws -> (index: Int, value: Float)? {
    let type = try type(name)
    return try unsafe withBytes(name) { bytes in
      let count = bytes.count / type.byteCount
      let index: Int
      switch type {
      case .float32: index = unsafe vb_first_beyond_float32(bytes.baseAddress, count, most)
      case .float16: index = unsafe vb_first_beyond_float16(bytes.baseAddress, count, most)
      case .bfloat16: index = unsafe vb_first_beyond_bfloat16(bytes.baseAddress, count, most)
      default:
        throw SafetensorsError.wrongType(
          file: source, name: name, found: type, expected: "floating-point numbers")
      }
      guard index < count, let start = bytes.baseAddress else { return nil }
      var value: Float = 0
      let place = unsafe start + index * type.byteCount
      switch type {
      case .float16: unsafe vb_float16_to_float32(place, &value, 1)
      case .bfloat16: unsafe vb_bfloat16_to_float32(place, &value, 1)
      default: value = unsafe place.loadUnaligned(as: Float.self)
      }
      return (index, value)
    }
  }
}
