private import Compute
internal import Files
package import Foundation
package import Model

/// Writes a PLOT file: all or nothing. Until `finish` has returned, the old file of that name, or
/// none, is what readers see; afterwards the new one, on disk.
@safe package final class PLOTWriter {
  private let file: MappedDraft
  private let start: UInt
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
    do { file = try MappedDraft(replacing: url.filePath, count: header.fileSize) } catch {
      throw .file(error)
    }
    start = unsafe UInt(bitPattern: file.start)
    unsafe (file.start + header.indexOffset).initializeMemory(
      as: UInt8.self, repeating: 0xFF, count: header.checksOffset - header.indexOffset)
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
    unsafe file.start.copyMemory(from: header.bytes, byteCount: PLOTHeader.byteCount)
    do { try file.commit() } catch { throw .file(error) }
    finished = true
    return header
  }

  private func checksum(_ range: Range<Int>) -> UInt32 {
    unsafe CRC32.of(
      UnsafeRawBufferPointer(
        start: UnsafeRawPointer(bitPattern: start + UInt(range.lowerBound)), count: range.count))
  }
}
