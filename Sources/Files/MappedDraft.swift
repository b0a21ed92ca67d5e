internal import Glibc

/// A file of a size known beforehand, written through memory, that appears whole or not at all: until
/// `commit` has returned, the old file of that name, or none, is what readers see.
@safe package final class MappedDraft {
  package let path: String
  package let count: Int
  /// The bytes, zeros at first; valid as long as this object.
  package let start: UnsafeMutableRawPointer
  private let directory: String
  private let temporary: String
  private let descriptor: Int32
  private var isCommitted = false

  /// Takes the disk space at once: a full disk is an error here and would be a fault in mapped memory.
  /// `count` is 1 or more. Throws `FileError`.
  package init(replacing path: String, count: Int) throws(FileError) {
    precondition(count > 0)
    self.path = path
    self.count = count
    directory = AtomicFile.directory(of: path)
    (descriptor, temporary) = try Leftover.create(in: directory)
    let code = posix_fallocate(descriptor, 0, count)
    let address =
      code == 0
      ? unsafe mmap(nil, count, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0) : nil
    guard let address = unsafe address, unsafe address != MAP_FAILED else {
      let error = FileError.refused(
        path: path, operation: "take \(count) bytes for", code: code == 0 ? errno : code)
      close(descriptor)
      unsafe _ = unlink(temporary)
      throw error
    }
    unsafe start = address
  }

  deinit {
    unsafe _ = munmap(start, count)
    close(descriptor)
    if !isCommitted { unsafe _ = unlink(temporary) }
  }

  /// Makes the file appear under its name, on the disk; once. Throws `FileError`.
  package func commit() throws(FileError) {
    precondition(!isCommitted)
    guard unsafe msync(start, count, MS_SYNC) == 0, fsync(descriptor) == 0 else {
      throw .last("write", path)
    }
    guard unsafe rename(temporary, path) == 0 else { throw .last("replace", path) }
    isCommitted = true
    try AtomicFile.flushDirectory(directory)
  }
}
