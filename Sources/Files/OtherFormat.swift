/// What a file holds that was taken for text: told by its first bytes, unpacked where it was gzip.
///
/// Text never has a zero byte; what begins like a known format is named, with how to make text of it.
enum OtherFormat {
  /// How many bytes are looked at.
  private static let reach = 512

  private static let marks: [(bytes: [UInt8], words: String)] = [
    ([0xFF, 0xFE], "is UTF-16; save it as UTF-8"),
    ([0xFE, 0xFF], "is UTF-16; save it as UTF-8"),
    (
      [0x50, 0x4B, 0x03, 0x04],
      "is a zip archive, as Excel's and Word's files are; unpack it, or export it as text"
    ),
    ([0xD0, 0xCF, 0x11, 0xE0], "is a file of Excel or Word; export it as text"),
    ([0xFD] + Array("7zXZ".utf8), "is packed with xz; unpack it (only gzip is read packed)"),
    ([0x28, 0xB5, 0x2F, 0xFD], "is packed with zstd; unpack it (only gzip is read packed)"),
    ([0x37, 0x7A, 0xBC, 0xAF], "is a 7z archive; unpack it"),
    ([0x1F, 0x8B], "is gzip inside gzip; unpack it once"),
    (Array("PAR1".utf8) + [0x15], "is Parquet; export it as text"),
    (Array("ARROW1".utf8) + [0], "is Arrow; export it as text"),
    (Array("SQLite format 3".utf8) + [0], "is a database of SQLite; export it as text"),
    (Array("%PDF-1.".utf8), "is a PDF; export it as text"),
  ]
  /// Behind the letters and the level.
  private static let bzip2 = [UInt8](arrayLiteral: 0x31, 0x41, 0x59, 0x26, 0x53, 0x59)

  /// What is wrong and what to do; nil for what may be text.
  static func words(_ bytes: [UInt8]) -> String? {
    if let mark = marks.first(where: { bytes.starts(with: $0.bytes) }) { return mark.words }
    if bytes.starts(with: Array("BZh".utf8)), bytes.dropFirst(4).starts(with: bzip2) {
      return "is packed with bzip2; unpack it (only gzip is read packed)"
    }
    if bytes.count > 262, bytes[257..<262].elementsEqual(Array("ustar".utf8)) {
      return "is a tar archive; unpack it"
    }
    guard let zero = bytes.prefix(reach).firstIndex(of: 0) else { return nil }
    return "is no text: byte \(zero) is zero; save it as UTF-8 (it is UTF-16, or no text at all)"
  }
}
