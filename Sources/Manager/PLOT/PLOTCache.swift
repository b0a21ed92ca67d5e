internal import Model
internal import Synchronization

/// The rows admitted since the start: n-gram -> row in host memory of a fixed size, beside the
/// mapped files. Readers take no lock; one writer at a time admits.
///
/// Eight-way set-associative: an n-gram's set is one cache line of eight entries, and only these
/// eight compete. A new n-gram takes an empty entry, or that of the one seen least often lately
/// (`FrequencySketch`), if it was itself seen more often: one pass of rare n-grams cannot wash out
/// the common ones, as it would with LRU. Entry and row are apart (an entry is 32 bits of the hash
/// and the row's number, one atomic word), so a row can be taken out at once and overwritten only
/// when no batch looks at it any more (`RowPins`).
@safe final class PLOTCache: Sendable {
  static let ways = 8

  let format: PLOTRowFormat
  let pins = RowPins()
  private let sets: Int
  private let rowCount: Int
  /// sets x ways; 0 is empty, else hash >> 32 << 32 | row + 1.
  private nonisolated(unsafe) let entries: UnsafeMutablePointer<Atomic<UInt64>>
  /// Written before an entry leads to them, constant while one does or a pin may remember it.
  private nonisolated(unsafe) let grams: UnsafeMutablePointer<NGram>
  private nonisolated(unsafe) let rows: UnsafeMutableRawPointer
  private let writer: Mutex<Writer>

  private struct Writer {
    var sketch: FrequencySketch
    var free: [UInt32]
    /// Taken out with this stamp, oldest first from `firstRetired` on.
    var retired: [(stamp: UInt64, row: UInt32)] = []
    var firstRetired = 0
    var count = 0
    var rejected = 0
  }

  /// As many rows as `byteCount` holds with their keys, entries and sketch; one in nine is spare, for
  /// those taken out while a batch still looks. Less than `leastBytes` holds none.
  init(format: PLOTRowFormat, byteCount: Int) {
    self.format = format
    // Row, key, entry (8/9 used), sketch (at most 4 rows x 4 counters).
    let perRow = format.stride + 12 + 8 + 16
    rowCount = min(max(0, byteCount / perRow), Int(UInt32.max) - 1)
    sets = rowCount * 8 / 9 / PLOTCache.ways
    unsafe entries = .allocate(capacity: max(1, sets * PLOTCache.ways))
    for entry in 0..<sets * PLOTCache.ways { unsafe (entries + entry).initialize(to: Atomic(0)) }
    unsafe grams = .allocate(capacity: max(1, rowCount))
    // Untouched pages of a large allocation cost no memory.
    unsafe rows = .allocate(byteCount: max(1, rowCount * format.stride), alignment: 64)
    writer = Mutex(
      Writer(
        sketch: FrequencySketch(capacity: sets * PLOTCache.ways),
        free: sets == 0 ? [] : (0..<UInt32(rowCount)).reversed()))
  }

  deinit {
    unsafe entries.deinitialize(count: sets * PLOTCache.ways)
    unsafe entries.deallocate()
    unsafe grams.deallocate()
    unsafe rows.deallocate()
  }

  var capacity: Int { sets * PLOTCache.ways }
  var count: Int { writer.withLock { $0.count } }
  var rejected: Int { writer.withLock { $0.rejected } }

  private func set(_ hash: UInt64) -> Int {
    Int(((hash & 0xFFFF_FFFF) * UInt64(sets)) >> 32) * PLOTCache.ways
  }

  /// The row's address, or 0. The caller holds a pin of `pins` since before this call, and for as
  /// long as it reads the row.
  func find(_ gram: NGram, hash: UInt64) -> UInt {
    guard sets > 0 else { return 0 }
    let first = set(hash)
    for way in 0..<PLOTCache.ways {
      let entry = unsafe entries[first + way].load(ordering: .acquiring)
      guard entry >> 32 == hash >> 32, entry & 0xFFFF_FFFF != 0 else { continue }
      let row = Int(entry & 0xFFFF_FFFF) - 1
      if unsafe grams[row].isSame(as: gram) { return address(of: row) }
    }
    return 0
  }

  private func address(of row: Int) -> UInt {
    unsafe UInt(bitPattern: rows + row * format.stride)
  }

  /// Counts hits for the sketch, unless another thread is admitting just now: then these are not
  /// counted rather than waited for.
  func recordIfFree(_ hashes: UnsafeBufferPointer<UInt64>) {
    guard sets > 0, !hashes.isEmpty else { return }
    _ = writer.withLockIfAvailable { writer in
      for i in hashes.indices { unsafe writer.sketch.add(hashes[i]) }
    }
  }

  /// Counts the n-grams as seen and takes in those that deserve it; row i, in the cache's format,
  /// lies at `rows + i x stride`. Waits for another thread that admits.
  func admit(_ grams: UnsafeBufferPointer<NGram>, rows encoded: UnsafeRawPointer) {
    guard sets > 0, !grams.isEmpty else { return }
    writer.withLock { writer in
      for i in grams.indices {
        let gram = unsafe grams[i]
        let hash = gram.plotHash
        writer.sketch.add(hash)
        guard gram.hasCentre, find(gram, hash: hash) == 0 else { continue }
        unsafe admit(gram, hash: hash, encoded + i * format.stride, &writer)
      }
    }
  }

  private func admit(
    _ gram: NGram, hash: UInt64, _ encoded: UnsafeRawPointer, _ writer: inout Writer
  ) {
    let (entry, old) = place(for: hash, writer)
    guard let entry else {
      writer.rejected += 1
      return
    }
    if writer.free.isEmpty { reclaim(&writer) }
    guard let row = writer.free.popLast() else {
      writer.rejected += 1
      return
    }
    unsafe grams[Int(row)] = gram
    unsafe (rows + Int(row) * format.stride).copyMemory(from: encoded, byteCount: format.stride)
    unsafe entries[entry].store(
      (hash >> 32) << 32 | UInt64(row + 1), ordering: .sequentiallyConsistent)
    if old == 0 {
      writer.count += 1
    } else {
      writer.retired.append((pins.stamp(), UInt32(old & 0xFFFF_FFFF) - 1))
    }
  }

  /// The entry to overwrite and what it holds; nil when all eight were seen as often or more often.
  private func place(for hash: UInt64, _ writer: borrowing Writer) -> (entry: Int?, old: UInt64) {
    let first = set(hash)
    var victim: (entry: Int, old: UInt64, frequency: Int) = (0, 0, .max)
    for entry in first..<first + PLOTCache.ways {
      let old = unsafe entries[entry].load(ordering: .relaxed)
      if old == 0 { return (entry, 0) }
      let frequency = unsafe writer.sketch.estimate(grams[Int(old & 0xFFFF_FFFF) - 1].plotHash)
      if frequency < victim.frequency { victim = (entry, old, frequency) }
    }
    return writer.sketch.estimate(hash) > victim.frequency ? (victim.entry, victim.old) : (nil, 0)
  }

  /// Moves the rows that no batch can look at any more to the free ones.
  private func reclaim(_ writer: inout Writer) {
    let oldest = pins.oldest()
    while writer.firstRetired < writer.retired.count,
      writer.retired[writer.firstRetired].stamp < oldest
    {
      writer.free.append(writer.retired[writer.firstRetired].row)
      writer.firstRetired += 1
    }
    if writer.firstRetired > writer.retired.count / 2 {
      writer.retired.removeFirst(writer.firstRetired)
      writer.firstRetired = 0
    }
  }

  /// Every n-gram in the cache with its row's address, while nothing is admitted.
  func forEach<Failure: Error>(_ body: (NGram, UInt) throws(Failure) -> Void) throws(Failure) {
    try writer.withLock { _ throws(Failure) in
      for entry in 0..<capacity {
        let value = unsafe entries[entry].load(ordering: .relaxed)
        guard value != 0 else { continue }
        let row = Int(value & 0xFFFF_FFFF) - 1
        try unsafe body(grams[row], address(of: row))
      }
    }
  }
}
