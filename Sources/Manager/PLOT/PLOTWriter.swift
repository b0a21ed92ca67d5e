private import Compute
package import Foundation
private import Glibc
package import Model

/// Writes a PLOT file: all or nothing. Until `finish` has returned, the old file of that name, or
/// none, is what readers see; afterwards the new one, on disk.
@safe package final class PLOTWriter {
  private let url: URL
  private let temporary: String
  private let descriptor: Int32
  private let start: UInt
  private let mapped: Int
  private var header: PLOTHeader
  private var written = 0
  private var longestProbe = 0
  private var finished = false

  /// Takes the disk space for `count` rows at once. Throws `PLOTError`.
  package init(
    _ url: URL, baseHash: String, skipDepth: Int, format: PLOTRowFormat, count: Int
  ) throws(PLOTError) {
    guard (0...PLOTHeader.mostRows).contains(count) else {
      throw .setting(name: "rows", value: count, range: 0...PLOTHeader.mostRows)
    }
    header = PLOTHeader(
      baseHash: baseHash, skipDepth: skipDepth, format: format, count: count, unigrams: 0,
      bigrams: 0, capacity: PLOTHeader.capacity(for: count), longestProbe: 0, indexChecksum: 0,
      checksChecksum: 0)
    self.url = url
    let path = url.filePath
    let number = String(UInt64.random(in: 0...(.max)), radix: 36)
    temporary =
      url.deletingLastPathComponent()
      .appending(path: AtomicFile.leftoverPrefix + number).filePath
    func failure(_ operation: String, _ code: Int32) -> PLOTError {
      .file(path: path, operation: operation, reason: unsafe String(cString: strerror(code)))
    }
    descriptor = unsafe open(temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw failure("create", errno) }
    mapped = header.fileSize
    // Space first: a full disk is an error here and would be a fault in the mapped file.
    let code = posix_fallocate(descriptor, 0, mapped)
    let address =
      code == 0
      ? unsafe mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) : nil
    guard let address = unsafe address, unsafe address != MAP_FAILED else {
      let error = failure("take \(mapped) bytes for", code == 0 ? errno : code)
      close(descriptor)
      unsafe unlink(temporary)
      throw error
    }
    start = UInt(bitPattern: address)
    unsafe (address + header.indexOffset).initializeMemory(
      as: UInt8.self, repeating: 0xFF, count: header.checksOffset - header.indexOffset)
  }

  deinit {
    unsafe _ = munmap(UnsafeMutableRawPointer(bitPattern: start), mapped)
    close(descriptor)
    if !finished { unsafe unlink(temporary) }
  }

  /// Where the next row's `format.stride` bytes go, before `append` of its n-gram.
  private func rowAddress(_ row: Int) -> UInt {
    start + UInt(header.rowsOffset + row * header.format.stride)
  }

  /// Stores `values` [3, hidden], rounded to the file's format.
  package func append(_ gram: NGram, values: UnsafePointer<Float>) {
    if let row = unsafe UnsafeMutableRawPointer(bitPattern: rowAddress(written)) {
      unsafe header.format.encode(values, to: row)
    }
    enter(gram)
  }

  /// Stores a row of the file's format as it is.
  func append(_ gram: NGram, encoded: UInt) {
    if let row = unsafe UnsafeMutableRawPointer(bitPattern: rowAddress(written)),
      let source = unsafe UnsafeRawPointer(bitPattern: encoded)
    {
      unsafe row.copyMemory(from: source, byteCount: header.format.stride)
    }
    enter(gram)
  }

  private func enter(_ gram: NGram) {
    precondition(written < header.count && gram.hasCentre)
    let mask = header.capacity - 1
    var place = Int(truncatingIfNeeded: gram.plotHash) & mask
    var probe = 0
    if let entries = unsafe UnsafeMutablePointer<PLOTIndexEntry>(
      bitPattern: start + UInt(header.indexOffset)),
      let checks = unsafe UnsafeMutablePointer<UInt32>(
        bitPattern: start + UInt(header.checksOffset))
    {
      while unsafe !entries[place].isEmpty {
        precondition(unsafe entries[place].gram != gram, "an n-gram is stored once")
        place = (place + 1) & mask
        probe += 1
      }
      unsafe entries[place] = PLOTIndexEntry(gram: gram, row: UInt32(written))
      unsafe checks[written] = PLOTFile.checksum(gram, rowAddress(written), header.format)
    }
    longestProbe = max(longestProbe, probe)
    if gram == gram.unigram {
      header.unigrams += 1
    } else if gram == gram.bigram {
      header.bigrams += 1
    }
    written += 1
  }

  /// Makes the file visible under its name. All rows must have been appended. Throws `PLOTError`.
  @discardableResult
  package func finish() throws(PLOTError) -> PLOTHeader {
    precondition(written == header.count && !finished)
    header.longestProbe = longestProbe
    header.indexChecksum = checksum(header.indexOffset..<header.checksOffset)
    header.checksChecksum = checksum(header.checksOffset..<header.checksOffset + written * 4)
    unsafe UnsafeMutableRawPointer(bitPattern: start)?.copyMemory(
      from: header.bytes, byteCount: PLOTHeader.byteCount)
    let path = url.filePath
    func failure(_ operation: String) -> PLOTError {
      .file(path: path, operation: operation, reason: unsafe String(cString: strerror(errno)))
    }
    guard unsafe msync(UnsafeMutableRawPointer(bitPattern: start), mapped, MS_SYNC) == 0,
      fsync(descriptor) == 0
    else { throw failure("write") }
    guard unsafe rename(temporary, path) == 0 else { throw failure("rename to") }
    finished = true
    // The rename itself is on disk only when the directory is.
    let directory = unsafe open(
      url.deletingLastPathComponent().filePath, O_RDONLY | O_CLOEXEC)
    guard directory >= 0 else { throw failure("examine the directory of") }
    defer { close(directory) }
    guard fsync(directory) == 0 else { throw failure("write the directory of") }
    return header
  }

  private func checksum(_ range: Range<Int>) -> UInt32 {
    unsafe CRC32.of(
      UnsafeRawBufferPointer(
        start: UnsafeRawPointer(bitPattern: start + UInt(range.lowerBound)), count: range.count))
  }
}
