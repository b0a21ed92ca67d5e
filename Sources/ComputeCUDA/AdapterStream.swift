internal import CCUDA
package import Compute
internal import Synchronization

/// Adapters in pinned host memory that come to the GPU's pages when a batch needs them: for more vBERTs
/// than the GPU holds. The ones that nobody asked for lately leave (CLOCK, Corbató 1968); a batch
/// holds what it got, so pages are reused only when it is done.
///
/// Copies run on a lane of their own, beside the computing of the batch before; a lane that places an
/// adapter waits for its copy on the device, not on the host. Any thread may call.
package final class AdapterStream: AdapterMover {
  private struct Resident: Sendable {
    /// Keeps the key's object, so that no other takes its identity.
    let owner: StreamedAdapter
    let adapter: CUDAAdapter
  }

  private struct State {
    /// What is on the device, by its owner's identity; costs are pages.
    var residents: ClockCache<ObjectIdentifier, Resident>
    var copied = 0
  }

  private let copies: Mutex<CUDABackend>
  private let device: CUDADevice
  private let state: Mutex<State>

  /// `lane` copies: its own to overlap, the computing one to take turns with it. `byteCount` bounds the
  /// pages, and should hold those of three batches at least.
  package init(lane: CUDABackend, byteCount: Int) {
    copies = Mutex(lane)
    device = lane.device
    state = Mutex(State(residents: ClockCache(bound: byteCount / PagePool.pageBytes)))
  }

  /// Bytes copied to the device since the start.
  package var copiedBytes: Int { state.withLock { $0.copied } }

  /// Packs the parameters in pinned memory; nothing of them is on the device yet.
  package func keep(_ adapter: HostAdapter) throws(ComputeError) -> StreamedAdapter {
    try StreamedAdapter(AdapterImage(adapter), device: device)
  }

  package func keep(_ adapter: HostAdapter) throws(ComputeError) -> any ResidentAdapter {
    let kept: StreamedAdapter = try keep(adapter)
    return kept
  }

  package func bring(_ kept: [any ResidentAdapter]) throws(ComputeError)
    -> [any ResidentAdapter]
  {
    try bring(
      kept.map { adapter -> StreamedAdapter in
        guard let adapter = adapter as? StreamedAdapter else {
          preconditionFailure("an adapter that no stream keeps")
        }
        return adapter
      })
  }

  /// The adapters where lanes can read them once `place` has waited for their copies, in the order of
  /// `wanted`. Throws `outOfMemory` if running batches hold all pages.
  package func bring(_ wanted: [StreamedAdapter]) throws(ComputeError) -> [any ResidentAdapter] {
    try copies.withLock { lane throws(ComputeError) in
      var mark: LaneMark?
      let result: Result<[any ResidentAdapter], ComputeError>
      do throws(ComputeError) {
        result = .success(try bring(wanted, lane, &mark))
      } catch { result = .failure(error) }
      // Every copy that was started stands before the mark.
      try mark?.move(to: lane)
      return try result.get()
    }
  }

  private func bring(_ wanted: [StreamedAdapter], _ lane: CUDABackend, _ mark: inout LaneMark?)
    throws(ComputeError) -> [any ResidentAdapter]
  {
    var result: [any ResidentAdapter] = []
    result.reserveCapacity(wanted.count)
    for adapter in wanted {
      let key = ObjectIdentifier(adapter)
      if let here = state.withLock({ $0.residents.value(for: key) }) {
        result.append(here.adapter)
        continue
      }
      if mark == nil { mark = try LaneMark(lane) }
      guard let mark else { continue }
      result.append(try copy(adapter, lane, mark))
    }
    return result
  }

  private func copy(_ adapter: StreamedAdapter, _ lane: CUDABackend, _ arrival: LaneMark)
    throws(ComputeError) -> CUDAAdapter
  {
    makeRoom(for: adapter)
    let resident = try CUDAAdapter(adapter.image, device: device, arrival: arrival)
    try adapter.copy(to: resident.pages, lane)
    // Wanted by the batch that brings it.
    let evicted = state.withLock { state in
      state.residents.insert(
        Resident(owner: adapter, adapter: resident), for: ObjectIdentifier(adapter),
        cost: resident.pages.count, wanted: true)
    }
    withExtendedLifetime(evicted) {}
    return resident
  }

  /// Evicted adapters are freed when this returns, after the lock is let go.
  private func makeRoom(for adapter: StreamedAdapter) {
    let evicted = state.withLock { state -> [Resident] in
      state.copied += adapter.byteCount
      return state.residents.makeRoom(for: adapter.image.pageCount)
    }
    withExtendedLifetime(evicted) {}
  }
}

/// A vBERT's parameters in pinned host memory.
@safe package final class StreamedAdapter: ResidentAdapter, @unchecked Sendable {
  package let byteCount: Int
  let image: AdapterImage
  private let memory: PinnedMemory

  init(_ image: AdapterImage, device: CUDADevice) throws(ComputeError) {
    self.image = image
    byteCount = image.byteCount
    memory = try PinnedMemory(image.byteCount, device: device, flag: "--host-adapter-bytes")
    unsafe memory.bytes.initializeMemory(as: UInt8.self, repeating: 0)
    unsafe image.write(into: memory.bytes)
  }

  /// Starts copying to these pages. The addresses in the directory change with each journey, and the
  /// copy before has long been read: its pages were given back.
  func copy(to pages: [UInt], _ lane: CUDABackend) throws(ComputeError) {
    unsafe image.writeDirectory(pages, into: memory.bytes)
    let size = PagePool.pageBytes
    var first = 0
    while first < pages.count {
      // Neighbouring pages travel in one copy.
      var last = first + 1
      while last < pages.count, pages[last] == pages[last - 1] + UInt(size) { last += 1 }
      try unsafe lane.copyPinned(
        UnsafeRawBufferPointer(rebasing: memory.bytes[first * size..<last * size]),
        to: pages[first])
      first = last
    }
  }
}
