internal import Compute
internal import Glibc
internal import Synchronization

/// Device memory for adapters, handed out in pages of one size, so that adapters of all kinds and
/// widths share it without fragmentation: an adapter takes what pages there are, wherever they lie.
///
/// Memory is taken from the device in blocks of 2,048 pages as it is needed, up to a limit, and kept
/// until the pool goes. Taking n pages costs O(n).
final class PagePool: Sendable {
  /// 64 fragments of 512 bytes (kernels/device.h).
  static let pageBytes = 32 << 10
  static let fragmentBytes = 512
  static let fragmentsPerPage = 64
  private static let pagesPerBlock = 2048

  private struct State {
    var free: [UInt] = []
    var blocks: [UInt] = []
    var pages = 0
  }

  private let state = Mutex(State())
  private let limit: Int
  private let patience: Duration

  /// `patience`: how long `take` waits for pages that running batches hold.
  init(limit: Int, patience: Duration = .zero) {
    (self.limit, self.patience) = (limit, patience)
  }

  /// Pages taken from the device, and how many of them are free.
  var counts: (pages: Int, free: Int) { state.withLock { ($0.pages, $0.free.count) } }

  /// Addresses of `count` pages, all or none. `allocate` takes device memory for a further block.
  /// Where all pages are held, a batch that ends meanwhile gives some back: the next one need not
  /// fail for being prepared too early.
  func take(_ count: Int, allocate: (Int) throws(ComputeError) -> UInt) throws(ComputeError)
    -> [UInt]
  {
    let deadline = ContinuousClock.now + patience
    while true {
      do throws(ComputeError) { return try takeNow(count, allocate: allocate) } catch {
        guard case .outOfMemory = error, count <= limit / PagePool.pageBytes,
          ContinuousClock.now < deadline
        else { throw error }
        usleep(1000)
      }
    }
  }

  private func takeNow(_ count: Int, allocate: (Int) throws(ComputeError) -> UInt)
    throws(ComputeError) -> [UInt]
  {
    try state.withLock { state throws(ComputeError) in
      while state.free.count < count {
        let room = limit / PagePool.pageBytes - state.pages
        guard room >= count - state.free.count else {
          throw .outOfMemory(
            requestedBytes: (count - state.free.count) * PagePool.pageBytes,
            flag: "--batch, or raise --cache-bytes")
        }
        let pages = min(room, PagePool.pagesPerBlock)
        let block = try allocate(pages * PagePool.pageBytes)
        state.blocks.append(block)
        state.pages += pages
        // Handed out from the end: lowest addresses first.
        for page in (0..<pages).reversed() {
          state.free.append(block + UInt(page * PagePool.pageBytes))
        }
      }
      let taken = Array(state.free.suffix(count).reversed())
      state.free.removeLast(count)
      return taken
    }
  }

  func giveBack(_ pages: [UInt]) { state.withLock { $0.free += pages.reversed() } }

  /// Ends the pool: the blocks, to be freed by their owner.
  func close() -> [UInt] {
    state.withLock { state in
      defer { state = State() }
      return state.blocks
    }
  }
}
