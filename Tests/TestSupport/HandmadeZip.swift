/// A zip archive of stored files, made by hand so that tests can lie in it.
package struct HandmadeZip {
  package private(set) var bytes: [UInt8] = []
  private var directory: [UInt8] = []
  private var count = 0

  package init() {}

  /// Bitwise CRC-32 of ISO 3309, independent of zlib's.
  package static func crc(_ bytes: [UInt8]) -> UInt32 {
    ~bytes.reduce(UInt32.max) { crc, byte in
      (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0xEDB8_8320 : 0) }
    }
  }

  private static func little(_ value: Int, _ bytes: Int) -> [UInt8] {
    (0..<bytes).map { UInt8(truncatingIfNeeded: value >> ($0 * 8)) }
  }

  /// `size`, `offset`: what the directory claims instead of the truth.
  package mutating func add(
    _ name: String, _ data: [UInt8], method: Int = 0, flags: Int = 0, size: Int? = nil,
    offset: Int? = nil, crc: UInt32? = nil
  ) {
    let crc = Int(crc ?? Self.crc(data))
    let common =
      Self.little(flags, 2) + Self.little(method, 2) + Self.little(0, 4) + Self.little(crc, 4)
      + Self.little(size ?? data.count, 4) + Self.little(size ?? data.count, 4)
      + Self.little(name.utf8.count, 2) + Self.little(0, 2)
    directory +=
      Self.little(0x0201_4B50, 4) + Self.little(20, 2) + Self.little(20, 2) + common
      + Self.little(0, 10) + Self.little(offset ?? bytes.count, 4) + Array(name.utf8)
    bytes += Self.little(0x0403_4B50, 4) + Self.little(20, 2) + common + Array(name.utf8) + data
    count += 1
  }

  package func finished(count claimed: Int? = nil, disk: Int = 0) -> [UInt8] {
    let n = claimed ?? count
    return bytes + directory + Self.little(0x0605_4B50, 4) + Self.little(disk, 2)
      + Self.little(0, 2) + Self.little(n, 2) + Self.little(n, 2)
      + Self.little(directory.count, 4) + Self.little(bytes.count, 4) + Self.little(0, 2)
  }
}
