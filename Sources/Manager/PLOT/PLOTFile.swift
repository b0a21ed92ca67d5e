internal import Compute
internal import Files
package import Foundation
internal import Model
private import Synchronization

/// A PLOT file, mapped: n-gram -> row, immutable, read by any number of threads without a lock.
///
/// Opening reads the header alone, whatever the table's size. An entry's row is checked against its
/// CRC-32, key included, the first time that it is used; one that fails is treated as absent, as is
/// everything that a damaged index hides. So damage costs time, never a wrong answer; `damage()`
/// reads everything and says what is wrong.
@safe package final class PLOTFile: Sendable {
  package let url: URL
  package let header: PLOTHeader
  private let map: MappedFile
  private let start: UInt
  private nonisolated(unsafe) let entries: UnsafePointer<PLOTIndexEntry>
  private let mask: Int
  private let longestProbe: Int
  /// A bit an entry of the index (not a row: a damaged entry may lead to a sound row of another
  /// n-gram): its checksum was found right. Racing readers may check one twice, no more.
  private nonisolated(unsafe) let checked: UnsafeMutablePointer<Atomic<UInt64>>
  private var checkedWords: Int { (header.capacity + 63) / 64 }
  private let failures = Atomic<Int>(0)
  private let isDamageKnown = Atomic<Bool>(false)

  /// Throws `PLOTError`; `baseHash` is what would compute the rows now, as `Base.rowsHash` has it.
  package init(opening url: URL, baseHash: String, hidden: Int) throws(PLOTError) {
    self.url = url
    let path = url.filePath
    do { map = try MappedFile(path: path) } catch { throw .file(error) }
    header = try unsafe map.withBytes { bytes throws(PLOTError) in
      try unsafe PLOTHeader(bytes: bytes, fileSize: bytes.count, path: path)
    }
    guard header.baseHash == baseHash else {
      throw .otherBase(path: path, found: header.baseHash, expected: baseHash)
    }
    guard header.format.hidden == hidden else {
      throw .corrupt(path: path, what: "rows are \(header.format.hidden) wide, the base \(hidden)")
    }
    start = unsafe map.withBytes { UInt(bitPattern: $0.baseAddress) }
    guard
      let entries = unsafe UnsafePointer<PLOTIndexEntry>(
        bitPattern: start + UInt(header.indexOffset))
    else { throw .corrupt(path: path, what: "it is empty") }
    unsafe self.entries = entries
    mask = header.capacity - 1
    longestProbe = header.longestProbe
    unsafe checked = .allocate(capacity: (header.capacity + 63) / 64)
    for word in 0..<checkedWords { unsafe (checked + word).initialize(to: Atomic(0)) }
  }

  deinit {
    unsafe checked.deinitialize(count: checkedWords)
    unsafe checked.deallocate()
  }

  package var format: PLOTRowFormat { header.format }
  package var count: Int { header.count }
  package var byteCount: Int { header.fileSize }
  /// Rows whose checksum was found wrong since the file was opened.
  package var damagedRows: Int { failures.load(ordering: .relaxed) }

  /// Somebody waits to write to the file: let go of it soon. One system call.
  var isWanted: Bool { map.isWanted }
  /// True once.
  var isFirstDamage: Bool { !isDamageKnown.exchange(true, ordering: .relaxed) }

  enum Found {
    /// In memory that stays as long as the file's object.
    case row(NGramRow)
    case absent
    /// It is stored, and its row is not what was stored.
    case damaged
  }

  /// O(1); `hash` is `gram.plotHash`.
  func look(_ gram: NGram, hash: UInt64) -> Found {
    guard let place = place(of: gram, hash: hash) else { return .absent }
    let entry = unsafe entries[place]
    guard isSound(entry, at: place) else { return .damaged }
    return .row(NGramRow(address: address(of: Int(entry.row)), type: format.type.elementType))
  }

  @inline(__always)
  private func place(of gram: NGram, hash: UInt64) -> Int? {
    var place = Int(truncatingIfNeeded: hash) & mask
    for _ in 0...longestProbe {
      let entry = unsafe entries[place]
      if entry.isEmpty { return nil }
      if entry.gram.isSame(as: gram) { return place }
      place = (place + 1) & mask
    }
    return nil
  }

  /// Whether a search for the entry's n-gram ends at the entry's row.
  func leads(to entry: PLOTIndexEntry) -> Bool {
    guard let place = place(of: entry.gram, hash: entry.gram.plotHash) else { return false }
    return unsafe entries[place].row == entry.row
  }

  /// The n-gram's row; nil when it is not stored or its row is damaged.
  func find(_ gram: NGram, hash: UInt64) -> NGramRow? {
    guard case .row(let row) = look(gram, hash: hash) else { return nil }
    return row
  }

  /// Reads where a search for each hash begins, and nothing more: independent reads wait for memory
  /// together, searches one after the other. Returns nonsense, so that the reads are not left out.
  func touch(_ hashes: [UInt64]) -> Int32 {
    var nonsense: Int32 = 0
    for hash in hashes {
      nonsense ^= unsafe entries[Int(truncatingIfNeeded: hash) & mask].gram.centre
    }
    return nonsense
  }

  func address(of row: Int) -> UInt { start + UInt(header.rowsOffset + row * format.stride) }

  /// Reads the row.
  func matchesChecksum(_ entry: PLOTIndexEntry) -> Bool {
    let checks = unsafe UnsafePointer<UInt32>(bitPattern: start + UInt(header.checksOffset))
    let row = Int(entry.row)
    guard row < count, let checks = unsafe checks else { return false }
    return unsafe checks[row] == PLOTFile.checksum(entry.gram, address(of: row), format)
  }

  private func isSound(_ entry: PLOTIndexEntry, at place: Int) -> Bool {
    let bit: UInt64 = 1 << UInt64(place & 63)
    if unsafe checked[place >> 6].load(ordering: .relaxed) & bit != 0 { return true }
    guard matchesChecksum(entry) else {
      failures.add(1, ordering: .relaxed)
      return false
    }
    unsafe checked[place >> 6].bitwiseOr(bit, ordering: .relaxed)
    return true
  }

  /// Over the key and the row's stride, so that a row cannot answer for another n-gram.
  static func checksum(_ gram: NGram, _ address: UInt, _ format: PLOTRowFormat) -> UInt32 {
    let key = unsafe withUnsafeBytes(of: gram) { unsafe CRC32.of($0) }
    return unsafe CRC32.of(
      UnsafeRawBufferPointer(
        start: UnsafeRawPointer(bitPattern: address), count: format.stride), from: key)
  }

  /// Every entry of the index in its order.
  func forEach(_ body: (PLOTIndexEntry) throws -> Void) rethrows {
    for place in 0..<header.capacity {
      let entry = unsafe entries[place]
      if !entry.isEmpty { try body(entry) }
    }
  }

  /// Of a section of the file.
  func checksum(_ range: Range<Int>) -> UInt32 {
    unsafe map.withBytes { unsafe CRC32.of(UnsafeRawBufferPointer(rebasing: $0[range])) }
  }
}
