internal import Compute
internal import Synchronization

/// Small device buffers of one lane, reused in powers of two, so that a batch's tables cost no
/// allocation. Reuse needs no waiting: the lane's operations run in order, so whoever takes a buffer
/// next writes it after its last reader.
final class BufferPool: Sendable {
  private struct State {
    var free: [Int: [UInt]] = [:]
    var all: [UInt] = []
  }

  private let state = Mutex(State())
  private let device: CUDADevice

  init(device: CUDADevice) { self.device = device }

  deinit { for address in state.withLock({ $0.all }) { device.free(address) } }

  /// A buffer of at least `bytes`; it goes back when the last reference goes.
  func take(_ bytes: Int) throws(ComputeError) -> Lent {
    var size = 4096
    while size < bytes { size *= 2 }
    let kept = state.withLock { $0.free[size]?.popLast() }
    if let kept { return Lent(address: kept, size: size, pool: self) }
    let address = try device.allocate(size, flag: "--token-budget")
    state.withLock { $0.all.append(address) }
    return Lent(address: address, size: size, pool: self)
  }

  final class Lent: Sendable {
    let address: UInt
    private let size: Int
    private let pool: BufferPool

    init(address: UInt, size: Int, pool: BufferPool) {
      self.address = address
      self.size = size
      self.pool = pool
    }

    deinit { pool.state.withLock { [address, size] in $0.free[size, default: []].append(address) } }
  }
}
