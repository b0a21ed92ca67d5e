internal import Glibc

/// Bytes that were too many for memory, in a file that has no name any more: it is gone when this
/// object goes, or the process. Mapped, so reading it needs no memory of ours.
package final class ScratchFile: Sendable {
  private let address: UInt
  package let count: Int

  /// Writes the bytes to a file in `directory`. Throws `FileError`, of a full disk for example.
  package init(_ bytes: UnsafeRawBufferPointer, in directory: String) throws(FileError) {
    let (descriptor, path) = try Leftover.create(in: directory)
    defer { close(descriptor) }
    unsafe _ = unlink(path)
    count = bytes.count
    try unsafe writeAll(bytes, to: descriptor, path)
    guard count > 0 else {
      address = 0
      return
    }
    let map = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0)
    guard let map = unsafe map, unsafe map != MAP_FAILED else { throw .last("map", path) }
    address = UInt(bitPattern: map)
  }

  deinit {
    if address != 0 { unsafe _ = munmap(UnsafeMutableRawPointer(bitPattern: address), count) }
  }

  /// The first byte's; nil when there are none. Valid as long as this object.
  package var start: UnsafeRawPointer? { unsafe UnsafeRawPointer(bitPattern: address) }
}
