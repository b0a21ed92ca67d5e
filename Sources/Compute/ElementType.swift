/// How one number is stored.
package enum ElementType: UInt8, Sendable, Hashable {
  case float32, float16, bfloat16, int8, int32

  /// Bytes of one element.
  package var byteCount: Int {
    switch self {
    case .float32, .int32: 4
    case .float16, .bfloat16: 2
    case .int8: 1
    }
  }
}
