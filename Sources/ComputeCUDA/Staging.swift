internal import Compute

/// Pinned host memory of one lane, used as a ring: what is written here may be read by copies that
/// are still under way, so coming round to the start again waits for the lane.
@safe final class Staging {
  private let memory: PinnedMemory
  private var used = 0

  var capacity: Int { memory.byteCount }

  init(device: CUDADevice, capacity: Int) throws(ComputeError) {
    memory = try PinnedMemory(capacity, device: device, flag: "--staging-memory")
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
    return unsafe UnsafeMutableRawBufferPointer(rebasing: memory.bytes[used..<used + bytes])
  }
}
