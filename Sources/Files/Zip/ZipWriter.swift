/// Writes small zip archives in memory, their files as they are (stored, not packed): APPNOTE.TXT 6.3, 4.3 and 4.4.
package struct ZipWriter {
  private var bytes: [UInt8] = []
  private var directory: [UInt8] = []
  private var count: UInt16 = 0
  /// Without Zip64 an archive ends here.
  package static let mostBytes = Int(UInt32.max)

  package init() {}

  /// Adds a file of this relative name. Together names and files have less than `mostBytes` bytes, and there are less
  /// than 65,536 of them: the caller has checked that.
  package mutating func append(_ name: String, _ content: [UInt8]) {
    precondition(bytes.count + content.count + 2 * name.utf8.count + 128 < Self.mostBytes)
    let place = UInt32(bytes.count)
    var head: [UInt8] = []
    // Version 2.0, names in UTF-8, stored, 1980-01-01: the same content is the same archive.
    for number in [20, 1 << 11, 0, 0, 33] as [UInt16] { head.append(littleEndian: number) }
    let checksum = unsafe content.span.bytes.withUnsafeBytes { unsafe CRC32.of($0) }
    for number in [checksum, UInt32(content.count), UInt32(content.count)] {
      head.append(littleEndian: number)
    }
    head.append(littleEndian: UInt16(name.utf8.count))
    head.append(littleEndian: 0 as UInt16)
    bytes.append(littleEndian: 0x0403_4B50 as UInt32)
    bytes += head
    bytes += name.utf8
    bytes += content
    directory.append(littleEndian: 0x0201_4B50 as UInt32)
    directory.append(littleEndian: 20 as UInt16)
    directory += head
    for number in [0, 0, 0] as [UInt16] { directory.append(littleEndian: number) }
    directory.append(littleEndian: 0 as UInt32)
    directory.append(littleEndian: place)
    directory += name.utf8
    count += 1
  }

  /// The whole archive.
  package consuming func finish() -> [UInt8] {
    let place = UInt32(bytes.count)
    bytes += directory
    bytes.append(littleEndian: 0x0605_4B50 as UInt32)
    for number in [0, 0, count, count] as [UInt16] { bytes.append(littleEndian: number) }
    bytes.append(littleEndian: UInt32(directory.count))
    bytes.append(littleEndian: place)
    bytes.append(littleEndian: 0 as UInt16)
    return bytes
  }
}
