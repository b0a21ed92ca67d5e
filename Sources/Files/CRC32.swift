private import CZlib

/// The CRC-32 of zlib, gzip and PNG: against bad disks and half-written files, not against malice.
package enum CRC32 {
  /// Goes on from `start`, the checksum of the bytes before.
  package static func of(_ bytes: UnsafeRawBufferPointer, from start: UInt32 = 0) -> UInt32 {
    guard let base = bytes.baseAddress else { return start }
    return UInt32(
      truncatingIfNeeded: unsafe crc32_z(
        UInt(start), base.assumingMemoryBound(to: UInt8.self), bytes.count))
  }
}
