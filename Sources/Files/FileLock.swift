internal import Glibc

/// A lock on a file, held until the object goes or its process dies, however it dies.
///
/// flock, not fcntl: it belongs to this open file, so threads of one process exclude each other too,
/// and closing some other descriptor of the same file does not drop it.
package final class FileLock: Sendable {
  package enum Kind: Sendable {
    case shared, exclusive
  }

  private let descriptor: Int32
  private let path: String

  /// nil when the lock is held elsewhere and `wait` is false. Makes the file where there is none. Throws
  /// `FileError`.
  package init?(path: String, _ kind: Kind, wait: Bool) throws(FileError) {
    while true {
      let file = unsafe open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      guard file >= 0 else { throw .last("open", path) }
      let operation = (kind == .shared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB)
      while flock(file, operation) != 0 {
        if errno == EINTR { continue }
        let error = FileError.last("lock", path)
        let isHeld = errno == EWOULDBLOCK
        close(file)
        if isHeld { return nil }
        throw error
      }
      // Its last holder may have removed it between the two: then others lock another file.
      if Self.isNamed(file) {
        descriptor = file
        self.path = path
        return
      }
      close(file)
    }
  }

  /// Whether the open file still has a name.
  static func isNamed(_ descriptor: Int32) -> Bool {
    var status = stat()
    return unsafe fstat(descriptor, &status) != 0 || status.st_nlink > 0
  }

  /// Removes the file while the lock is held: for names that are used once.
  package func removeFile() { unsafe _ = unlink(path) }

  deinit { close(descriptor) }
}
