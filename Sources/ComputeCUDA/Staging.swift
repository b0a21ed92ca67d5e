internal import CCUDA
internal import Compute

/// Pinned host memory of one lane, used as a ring: what is written here may be read by copies that
/// are still under way, so coming round to the start again waits for the lane.
@safe final class Staging {
  private let memory: UnsafeMutableRawPointer
  let capacity: Int
  private var used = 0
  private let device: CUDADevice

  init(device: CUDADevice, capacity: Int) throws(ComputeError) {
    device.enter()
    var memory: UnsafeMutableRawPointer?
    let code = unsafe device.driver.table.host_allocate(&memory, capacity, 0)
    if code == Driver.outOfMemory {
      throw .outOfMemory(requestedBytes: capacity, flag: "--staging-memory")
    }
    try device.driver.check(code, "taking pinned memory")
    guard let memory = unsafe memory else { throw .device("the driver gave no pinned memory") }
    unsafe self.memory = unsafe memory
    self.capacity = capacity
    self.device = device
  }

  deinit {
    device.enter()
    _ = unsafe device.driver.table.host_free(memory)
  }

  /// `bytes` bytes to write, aligned to 64; `wait` is called when the ring comes round.
  func take(_ bytes: Int, wait: () throws(ComputeError) -> Void) throws(ComputeError)
    -> UnsafeMutableRawBufferPointer
  {
    precondition(bytes <= capacity)
    if used + bytes > capacity {
      try wait()
      used = 0
    }
    defer { used += (bytes + 63) & ~63 }
    return unsafe UnsafeMutableRawBufferPointer(start: memory + used, count: bytes)
  }
}
