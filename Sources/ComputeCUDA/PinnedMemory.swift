internal import CCUDA
internal import Compute

/// Host memory that the GPU copies from by itself.
@safe final class PinnedMemory: @unchecked Sendable {
  let byteCount: Int
  private let memory: UnsafeMutableRawPointer
  private let device: CUDADevice

  /// `flag`: what to lower where there is too little. Throws `outOfMemory`.
  init(_ byteCount: Int, device: CUDADevice, flag: String) throws(ComputeError) {
    device.enter()
    var memory: UnsafeMutableRawPointer?
    let code = unsafe device.driver.table.host_allocate(&memory, byteCount, 0)
    if code == Driver.outOfMemory {
      throw .outOfMemory(requestedBytes: byteCount, flag: flag)
    }
    try device.driver.check(code, "taking pinned memory")
    guard let memory = unsafe memory else { throw .device("the driver gave no pinned memory") }
    unsafe self.memory = unsafe memory
    self.byteCount = byteCount
    self.device = device
  }

  deinit {
    device.enter()
    _ = unsafe device.driver.table.host_free(memory)
  }

  var bytes: UnsafeMutableRawBufferPointer {
    unsafe UnsafeMutableRawBufferPointer(start: memory, count: byteCount)
  }
}
