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
    unsafe Conversion.store(values, as: tensor.type, into: tensor.hostBytes)
  }

  package func download(_ tensor: Tensor, into values: UnsafeMutableBufferPointer<Float>)
    throws(ComputeError)
  {
    precondition(tensor.isContiguous && values.count == tensor.count)
    unsafe Conversion.load(UnsafeRawBufferPointer(tensor.hostBytes), as: tensor.type, into: values)
  }
}

extension Tensor {
  /// A contiguous tensor's memory, of which this backend's is the host's.
  fileprivate var hostBytes: UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(
      start: UnsafeMutableRawPointer(bitPattern: address), count: count * type.byteCount)
  }
}
