internal import CSIMD
package import Compute

extension CPUBackend {
  package func allocate(byteCount: Int) throws(ComputeError) -> DeviceBuffer {
    if byteCount == 0 { return DeviceBuffer(address: 0, byteCount: 0) { _ in } }
    guard byteCount > 0, let memory = unsafe csimd_allocate(byteCount) else {
      throw .outOfMemory(requestedBytes: byteCount, flag: "the token budget or the cache sizes")
    }
    return DeviceBuffer(address: UInt(bitPattern: memory), byteCount: byteCount) { address in
      unsafe csimd_free(UnsafeMutableRawPointer(bitPattern: address), byteCount)
    }
  }

  package func upload(_ values: UnsafeBufferPointer<Float>, to tensor: Tensor)
    throws(ComputeError)
  {
    precondition(tensor.isContiguous && values.count == tensor.count)
    guard let from = values.baseAddress, !values.isEmpty,
      let to = unsafe UnsafeMutableRawPointer(bitPattern: tensor.address)
    else { return }
    let count = values.count
    switch tensor.type {
    case .float32: unsafe to.copyMemory(from: from, byteCount: count * 4)
    case .float16:
      unsafe vb_float32_to_float16(from, to, count)
    case .bfloat16:
      unsafe vb_float32_to_bfloat16(from, to, count)
    case .int8:
      for i in 0..<count {
        unsafe to.storeBytes(of: rounded(from[i]), toByteOffset: i, as: Int8.self)
      }
    case .int32:
      for i in 0..<count {
        unsafe to.storeBytes(of: rounded(from[i]), toByteOffset: i * 4, as: Int32.self)
      }
    }
  }

  package func download(_ tensor: Tensor, into values: UnsafeMutableBufferPointer<Float>)
    throws(ComputeError)
  {
    precondition(tensor.isContiguous && values.count == tensor.count)
    guard let to = values.baseAddress, !values.isEmpty,
      let from = unsafe UnsafeRawPointer(bitPattern: tensor.address)
    else { return }
    let count = values.count
    switch tensor.type {
    case .float32:
      unsafe UnsafeMutableRawPointer(to).copyMemory(from: from, byteCount: count * 4)
    case .float16:
      unsafe vb_float16_to_float32(from, to, count)
    case .bfloat16:
      unsafe vb_bfloat16_to_float32(from, to, count)
    case .int8:
      for i in 0..<count { unsafe to[i] = Float(from.load(fromByteOffset: i, as: Int8.self)) }
    case .int32:
      for i in 0..<count { unsafe to[i] = Float(from.load(fromByteOffset: i * 4, as: Int32.self)) }
    }
  }

  /// To the nearest whole number that the type holds; NaN becomes 0.
  private func rounded<T: FixedWidthInteger>(_ value: Float) -> T {
    if value.isNaN { return 0 }
    let whole = value.rounded(.toNearestOrEven)
    return T(exactly: whole) ?? (whole < 0 ? T.min : T.max)
  }
}
