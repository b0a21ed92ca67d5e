internal import CSIMD
internal import Compute

/// Host floats to and from the types of tensors.
enum Conversion {
  /// Writes `values` in type `type`; integers are rounded to nearest and clamped.
  static func store(
    _ values: UnsafeBufferPointer<Float>, as type: ElementType,
    into memory: UnsafeMutableRawBufferPointer
  ) {
    let target = memory.baseAddress
    switch type {
    case .float32: unsafe memory.copyMemory(from: UnsafeRawBufferPointer(values))
    case .bfloat16:
      unsafe vb_float32_to_bfloat16(
        values.baseAddress, target?.assumingMemoryBound(to: UInt16.self), values.count)
    case .float16:
      unsafe vb_float32_to_float16(
        values.baseAddress, target?.assumingMemoryBound(to: UInt16.self), values.count)
    case .int8:
      for unsafe(i, value) in unsafe values.enumerated() {
        unsafe memory[i] = UInt8(
          bitPattern: Int8(min(max(value.rounded(.toNearestOrEven), -128), 127)))
      }
    case .int32:
      for unsafe(i, value) in unsafe values.enumerated() {
        unsafe memory.storeBytes(
          of: Int32(clamping: Int(value.rounded(.toNearestOrEven))), toByteOffset: 4 * i,
          as: Int32.self)
      }
    }
  }

  static func load(
    _ memory: UnsafeRawBufferPointer, as type: ElementType,
    into values: UnsafeMutableBufferPointer<Float>
  ) {
    let source = memory.baseAddress
    switch type {
    case .float32: unsafe UnsafeMutableRawBufferPointer(values).copyMemory(from: memory)
    case .bfloat16:
      unsafe vb_bfloat16_to_float32(
        source?.assumingMemoryBound(to: UInt16.self), values.baseAddress, values.count)
    case .float16:
      unsafe vb_float16_to_float32(
        source?.assumingMemoryBound(to: UInt16.self), values.baseAddress, values.count)
    case .int8:
      for i in values.indices { unsafe values[i] = Float(Int8(bitPattern: memory[i])) }
    case .int32:
      for i in values.indices {
        unsafe values[i] = Float(memory.load(fromByteOffset: 4 * i, as: Int32.self))
      }
    }
  }
}
