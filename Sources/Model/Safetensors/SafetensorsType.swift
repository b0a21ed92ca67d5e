internal import Compute

/// How a safetensors file stores one number. All types of the format's version 0.4 are known by
/// size, so that a file that holds them can be checked; `isReadable` says which convert to floats.
package enum SafetensorsType: String, Sendable, Hashable, CaseIterable {
  case bool = "BOOL"
  case uint8 = "U8"
  case int8 = "I8"
  case float8e5m2 = "F8_E5M2"
  case float8e4m3 = "F8_E4M3"
  case int16 = "I16"
  case uint16 = "U16"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int32 = "I32"
  case uint32 = "U32"
  case float32 = "F32"
  case float64 = "F64"
  case int64 = "I64"
  case uint64 = "U64"

  /// Bytes of one element.
  package var byteCount: Int {
    switch self {
    case .bool, .uint8, .int8, .float8e5m2, .float8e4m3: 1
    case .int16, .uint16, .float16, .bfloat16: 2
    case .int32, .uint32, .float32: 4
    case .float64, .int64, .uint64: 8
    }
  }

  package var isReadable: Bool { floats != nil || isWhole }

  /// The floating-point types that we compute with.
  var floats: ElementType? {
    switch self {
    case .float32: .float32
    case .float16: .float16
    case .bfloat16: .bfloat16
    default: nil
    }
  }

  /// The whole numbers that we read.
  var isWhole: Bool {
    switch self {
    case .int64, .int32, .uint8: true
    default: false
    }
  }
}
