internal import Glibc

/// Writes all bytes, however few the system takes at a time; errors name `path`.
func writeAll(
  _ bytes: UnsafeRawBufferPointer, to descriptor: Int32, _ path: String
) throws(FileError) {
  var rest = unsafe bytes
  while unsafe !rest.isEmpty {
    let written = unsafe write(descriptor, rest.baseAddress, rest.count)
    if written < 0 {
      if errno == EINTR { continue }
      throw .last("write", path)
    }
    guard written > 0 else { throw .refused(path: path, operation: "write", code: EIO) }
    unsafe rest = UnsafeRawBufferPointer(rebasing: rest[written...])
  }
}
