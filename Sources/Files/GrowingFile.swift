internal import Glibc

/// A file that is written from some place on, and whose owner remembers up to where it is whole: after a crash what is
/// behind that place goes. One thread at a time; everything throws `FileError`.
package final class GrowingFile {
  private let path: String
  private let descriptor: Int32

  /// Begins it, or goes on behind its first `byteCount` bytes. Throws where it has fewer.
  package init(path: String, from byteCount: Int) throws(FileError) {
    self.path = path
    descriptor = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .last("open", path) }
    let end = lseek(descriptor, 0, SEEK_END)
    guard end >= byteCount else { throw .changed(path: path) }
    guard ftruncate(descriptor, byteCount) == 0,
      lseek(descriptor, 0, SEEK_END) == byteCount
    else { throw .last("cut", path) }
    // Its name too: what is remembered of it must be found.
    if byteCount == 0 { try AtomicFile.flushDirectory(AtomicFile.directory(of: path)) }
  }

  deinit { close(descriptor) }

  package func append(_ bytes: [UInt8]) throws(FileError) {
    try unsafe bytes.span.bytes.withUnsafeBytes { (raw) throws(FileError) in
      try unsafe writeAll(raw, to: descriptor, path)
    }
  }

  /// All of it is on the disk when this returns.
  package func flush() throws(FileError) {
    guard fsync(descriptor) == 0 else { throw .last("write", path) }
  }
}
