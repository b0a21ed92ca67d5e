internal import Glibc

/// A regular file's bytes, mapped read-only for as long as this object lives.
///
/// The size is taken once, when the file is opened: a file that somebody shortens afterwards faults
/// on access, which is why our own files are only ever replaced by rename.
package final class MappedFile: Sendable {
  private let address: UInt
  package let count: Int

  /// Throws `FileError` when the path cannot be opened or is not a regular file.
  package init(path: String) throws(FileError) {
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .last("open", path) }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .last("examine", path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .notRegular(path: path)
    }
    count = Int(status.st_size)
    guard count > 0 else {
      address = 0
      return
    }
    guard let start = unsafe mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0),
      unsafe start != MAP_FAILED
    else { throw .last("map", path) }
    address = UInt(bitPattern: start)
  }

  deinit {
    if address != 0 { _ = unsafe munmap(UnsafeMutableRawPointer(bitPattern: address), count) }
  }

  /// The bytes, valid inside `body` only.
  package func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe body(
      UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: address), count: count))
  }
}
