internal import CCUDA
package import Compute
internal import Dispatch
internal import Synchronization

/// N-gram rows in device memory, found and admitted by kernels (kernels/plot.cu): a row that is asked
/// for often crosses the bus once.
///
/// Works on a lane of its own, so it serves the next batch while one is computed. Rows are kept as the
/// host's table has them, byte for byte: an answer does not depend on whether a row was here. Whoever
/// is missing is copied for its batch and, if its set has an entry that no live batch reads, admitted.
@safe package final class CUDARowCache: NGramRowCache, @unchecked Sendable {
  /// Rows that fit.
  package let capacity: Int
  /// Rows asked for since the start, and those that had to come from the host.
  package private(set) var asked = 0
  package private(set) var copied = 0

  private static let ways = 8
  /// Of a row: the row itself, its key, its stamp.
  private static func bytesPerRow(_ rowBytes: Int) -> Int { rowBytes + 8 + 4 }

  private let lane: CUDABackend
  private let type: ElementType
  private let hostBytes: Int
  /// From one row to the next; a multiple of 16.
  private let rowBytes: Int
  private let sets: Int
  private let keys: DeviceBuffer
  private let stamps: DeviceBuffer
  private let rows: DeviceBuffer
  private let batches = Mutex(LiveBatches())

  /// As many rows of [3, hidden] in `type` as `byteCount` holds. Throws `outOfMemory`, and
  /// `unsupported` where that is less than one set.
  package init(device: CUDADevice, byteCount: Int, hidden: Int, type: ElementType)
    throws(ComputeError)
  {
    hostBytes = NGramRow.byteCount(hidden: hidden, type: type)
    rowBytes = (hostBytes + 15) & ~15
    sets = byteCount / CUDARowCache.bytesPerRow(rowBytes) / CUDARowCache.ways
    capacity = sets * CUDARowCache.ways
    guard sets > 0 else {
      throw .unsupported("a row cache of \(byteCount) bytes; raise --device-plot-bytes")
    }
    self.type = type
    lane = try CUDABackend(device: device)
    func take(_ bytes: Int) throws(ComputeError) -> DeviceBuffer {
      let address = try device.allocate(bytes, flag: "--device-plot-bytes")
      return DeviceBuffer(address: address, byteCount: bytes, free: { device.free($0) })
    }
    keys = try take(8 * capacity)
    stamps = try take(4 * capacity)
    rows = try take(rowBytes * capacity)
    try lane.clear(keys)
    try lane.clear(stamps)
    try lane.finish()
  }

  package func rows(for wanted: [UInt64], missing: ([Int]) throws -> [NGramRow]) throws
    -> CachedRows
  {
    let batch = Batch(number: batches.withLock { $0.begin() }, cache: self)
    let found = try find(wanted, batch.number)
    let lacking = LackingKeys(wanted, found: found)
    asked += wanted.count
    copied += lacking.places.count
    var copies: UInt = 0
    if !lacking.places.isEmpty {
      let host = try missing(lacking.places)
      precondition(host.count == lacking.places.count)
      let memory = try copy(host)
      copies = memory.address
      batch.memory.withLock { $0 = memory }
      try admit(lacking.places.map { wanted[$0] }, from: copies, batch.number)
    }
    // Other lanes read these rows: they must be there.
    try lane.finish()
    return CachedRows(
      rows: wanted.indices.map { i in
        let number = lacking.numbers[i]
        if wanted[i] == 0 { return .zero }
        let address = number < 0 ? UInt(found[i]) : copies + UInt(Int(number) * rowBytes)
        return NGramRow(address: address, type: type)
      }, missing: lacking.numbers, owner: batch)
  }

  /// A batch whose rows may still be read.
  private final class Batch: Sendable {
    let number: UInt32
    let memory = Mutex<BufferPool.Lent?>(nil)
    private let cache: CUDARowCache

    init(number: UInt32, cache: CUDARowCache) {
      self.number = number
      self.cache = cache
    }

    deinit { cache.batches.withLock { $0.end(number) } }
  }

  /// Addresses of the rows that are here, 0 for the others.
  private func find(_ wanted: [UInt64], _ now: UInt32) throws(ComputeError) -> [UInt64] {
    let table = try lane.table(wanted)
    let found = try lane.buffers.take(8 * wanted.count)
    try lane.launch(
      lane.device.kernel("findRows", in: "plot.cu", []), grid: ((wanted.count + 255) / 256, 1),
      block: 256,
      [
        .address(table.address), .int(wanted.count), .address(keys.address),
        .address(stamps.address), .int(sets), .address(rows.address), .int(rowBytes),
        .int(Int(now)), .address(found.address),
      ])
    return try lane.read(found.address, count: wanted.count)
  }

  /// Rows in host memory, one after the other in device memory.
  private func copy(_ host: [NGramRow]) throws(ComputeError) -> BufferPool.Lent {
    let memory = try lane.buffers.take(host.count * rowBytes)
    let most = max(1, lane.staging.capacity / 2 / rowBytes)
    for first in stride(from: 0, to: host.count, by: most) {
      let part = host[first..<min(first + most, host.count)]
      unsafe try lane.copy(
        to: memory.address + UInt(first * rowBytes), bytes: part.count * rowBytes
      ) { unsafe gather(part, into: $0) }
    }
    return memory
  }

  /// Rows lie anywhere in memory: several threads wait for it together.
  private func gather(_ part: ArraySlice<NGramRow>, into memory: UnsafeMutableRawBufferPointer) {
    let threads = part.count < 256 ? 1 : 8
    nonisolated(unsafe) let target = unsafe memory
    DispatchQueue.concurrentPerform(iterations: threads) { thread in
      let share = part.count * thread / threads..<part.count * (thread + 1) / threads
      for i in share {
        let row = part[part.startIndex + i]
        precondition(row.type == type || row.address == 0)
        let place = unsafe UnsafeMutableRawBufferPointer(
          rebasing: target[i * rowBytes..<i * rowBytes + hostBytes])
        if let source = unsafe UnsafeRawPointer(bitPattern: row.address) {
          unsafe place.copyMemory(from: UnsafeRawBufferPointer(start: source, count: hostBytes))
        } else {
          unsafe place.initializeMemory(as: UInt8.self, repeating: 0)
        }
      }
    }
  }

  private func admit(_ wanted: [UInt64], from copies: UInt, _ now: UInt32) throws(ComputeError) {
    let table = try lane.table(wanted)
    let oldest = batches.withLock { $0.oldest }
    try lane.launch(
      lane.device.kernel("admitRows", in: "plot.cu", []), grid: ((wanted.count + 7) / 8, 1),
      block: 256,
      [
        .address(table.address), .address(copies), .int(wanted.count), .address(keys.address),
        .address(stamps.address), .int(sets), .address(rows.address), .int(rowBytes),
        .int(Int(now)), .int(Int(oldest)),
      ])
  }
}

/// Which batches may still read rows. Numbers count up from 1; 0 stamps what nobody asked for.
struct LiveBatches {
  private var last: UInt32 = 0
  private var live: [UInt32] = []

  mutating func begin() -> UInt32 {
    last += 1
    live.append(last)
    return last
  }

  mutating func end(_ number: UInt32) { live.removeAll { $0 == number } }

  /// The rows of earlier batches may be replaced.
  var oldest: UInt32 { live.first ?? last + 1 }
}

/// The different keys that were not found.
struct LackingKeys {
  /// Where each occurs first.
  private(set) var places: [Int] = []
  /// For every key its number in `places`, or -1.
  private(set) var numbers: [Int32]

  /// `found` holds 0 for what was not.
  init(_ wanted: [UInt64], found: [UInt64]) {
    numbers = [Int32](repeating: -1, count: wanted.count)
    var known: [UInt64: Int32] = [:]
    for i in wanted.indices where found[i] == 0 && wanted[i] != 0 {
      if let number = known[wanted[i]] {
        numbers[i] = number
      } else {
        numbers[i] = Int32(places.count)
        known[wanted[i]] = Int32(places.count)
        places.append(i)
      }
    }
  }
}
