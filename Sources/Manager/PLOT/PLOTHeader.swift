private import Compute
internal import Files

/// The first 4,096 bytes of a PLOT file, and from them where everything else must lie.
///
/// Little-endian. After the header: the index (`capacity` entries of 16 bytes: left, centre, right,
/// row number; centre 0xFFFFFFFF, none, is an empty entry), a CRC-32 a row, then the rows from the next multiple of
/// 4,096 on. Nothing else: the file's size follows from the header.
package struct PLOTHeader: Sendable, Equatable {
  static let magic: [UInt8] = Array("\u{89}PLOT\r\n".utf8)
  /// 1 had 0 for none, which in some vocabularies is a token.
  static let version: UInt32 = 2
  static let byteCount = 4096
  static let mostHashBytes = 256
  /// Row numbers are 32 bits wide.
  static let mostRows = Int(UInt32.max)

  /// Content hash of the base whose local layers made the rows; with a domain's name and the hash of
  /// its own local layers behind a +, where they made them.
  package var baseHash: String
  package var skipDepth: Int
  package var format: PLOTRowFormat
  /// Rows.
  package var count: Int
  /// Rows for (none, x, none), and for (none, x, y); the rest are tri-grams proper.
  package var unigrams: Int
  package var bigrams: Int
  /// Entries of the index, a power of two above `count`.
  package var capacity: Int
  /// No entry lies further than this from its home, so a search ends, also in a damaged index.
  package var longestProbe: Int
  package var indexChecksum: UInt32
  package var checksChecksum: UInt32

  var indexOffset: Int { PLOTHeader.byteCount }
  var checksOffset: Int { indexOffset + capacity * PLOTIndexEntry.byteCount }
  var rowsOffset: Int { (checksOffset + count * 4 + 4095) & ~4095 }
  package var fileSize: Int { rowsOffset + count * format.stride }

  /// The smallest index that `count` rows leave at most two thirds full.
  static func capacity(for count: Int) -> Int {
    var capacity = 16
    while capacity * 2 < count * 3 { capacity *= 2 }
    return capacity
  }
}

extension PLOTHeader {
  /// `byteCount` bytes.
  var bytes: [UInt8] {
    var bytes = PLOTHeader.magic
    for number in [PLOTHeader.version, 0] { bytes.append(littleEndian: number) }
    for number in [
      format.hidden, skipDepth, Int(format.type.rawValue), count, unigrams, bigrams, capacity,
      longestProbe,
    ] {
      bytes.append(littleEndian: UInt64(number))
    }
    for number in [indexChecksum, checksChecksum] { bytes.append(littleEndian: number) }
    let hash = Array(baseHash.utf8)
    precondition(hash.count <= PLOTHeader.mostHashBytes)
    bytes.append(littleEndian: UInt32(hash.count))
    bytes += hash
    bytes += [UInt8](repeating: 0, count: PLOTHeader.byteCount - bytes.count)
    let checksum = unsafe bytes.withUnsafeBytes { unsafe CRC32.of($0) }
    unsafe bytes.replaceSubrange(
      12..<16, with: withUnsafeBytes(of: checksum.littleEndian) { unsafe Array($0) })
    return bytes
  }

  /// Believes nothing: what it returns describes a file of exactly `fileSize` bytes, without
  /// overflow. Throws `PLOTError.corrupt` or `.version`.
  init(bytes: UnsafeRawBufferPointer, fileSize: Int, path: String) throws(PLOTError) {
    func lie(_ what: String) -> PLOTError { .corrupt(path: path, what: what) }
    guard bytes.count >= PLOTHeader.byteCount else {
      throw lie("it has \(bytes.count) bytes, fewer than a header")
    }
    guard unsafe bytes.prefix(8).elementsEqual(PLOTHeader.magic) else {
      throw lie("it does not start as a PLOT does")
    }
    func u32(_ offset: Int) -> UInt32 { unsafe bytes.littleEndian(UInt32.self, at: offset) }
    func number(_ offset: Int, _ name: String, _ range: ClosedRange<Int>) throws(PLOTError) -> Int {
      let value = unsafe bytes.littleEndian(UInt64.self, at: offset)
      guard let value = Int(exactly: value), range.contains(value) else {
        throw lie("\(name) is \(value)")
      }
      return value
    }
    guard u32(8) == PLOTHeader.version else { throw .version(path: path, found: u32(8)) }
    var copy = unsafe Array(bytes.prefix(PLOTHeader.byteCount))
    copy.replaceSubrange(12..<16, with: [0, 0, 0, 0])
    guard unsafe copy.withUnsafeBytes({ unsafe CRC32.of($0) }) == u32(12) else {
      throw lie("the header's checksum does not match")
    }
    let hidden = try number(16, "hidden", 1...1 << 14)
    skipDepth = try number(24, "skip depth", 1...256)
    guard let type = PLOTRowType(rawValue: UInt32(try number(32, "row type", 0...255))) else {
      throw lie("row type is unknown")
    }
    format = PLOTRowFormat(type: type, hidden: hidden)
    count = try number(40, "row count", 0...PLOTHeader.mostRows)
    unigrams = try number(48, "number of unigrams", 0...count)
    bigrams = try number(56, "number of bi-grams", 0...count - unigrams)
    // A full index has no end of a search; and one needlessly big is a lie about its own size.
    capacity = try number(64, "index size", 1...1 << 34)
    guard capacity == PLOTHeader.capacity(for: count) else {
      throw lie("index size is \(capacity)")
    }
    longestProbe = try number(72, "longest probe", 0...capacity - 1)
    indexChecksum = u32(80)
    checksChecksum = u32(84)
    let hashCount = Int(u32(88))
    guard hashCount <= PLOTHeader.mostHashBytes,
      let hash = unsafe String(validating: bytes[92..<92 + hashCount], as: UTF8.self)
    else { throw lie("the base's hash is not text") }
    baseHash = hash
    // At most 2^32 rows of 2^18 bytes: no overflow.
    guard self.fileSize == fileSize else {
      throw lie("it has \(fileSize) bytes, its header says \(self.fileSize)")
    }
  }
}
