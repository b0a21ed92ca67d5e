internal import Glibc

/// A regular file's bytes for as long as this object lives, as they were when it was opened.
///
/// Where the system guards the file for its readers (`FileLease`), it is mapped, and nobody can change
/// or shorten it meanwhile. Where it does not, the bytes are copied into memory: in a mapped file that
/// somebody shortens, every access beyond its end ends the process.
package final class MappedFile: Sendable {
  private let address: UInt
  package let count: Int
  /// nil where the bytes are a copy.
  private let lease: FileLease?

  /// Throws `FileError` when the path cannot be opened or is not a regular file. `guarded: false` copies
  /// always.
  package init(path: String, guarded: Bool = true) throws(FileError) {
    // Without O_NONBLOCK, opening a pipe would wait for a writer.
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .last("open", path) }
    let lease = guarded ? FileLease(descriptor) : nil
    defer { if lease == nil { close(descriptor) } }
    // Behind the lease: from here on it has one size.
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0 else { throw .last("examine", path) }
    guard status.st_mode & S_IFMT == S_IFREG else {
      throw .notRegular(path: path)
    }
    self.lease = lease
    count = Int(status.st_size)
    guard count > 0 else {
      address = 0
      return
    }
    guard
      let start = unsafe lease == nil
        ? mmap(nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        : mmap(nil, count, PROT_READ, MAP_PRIVATE, descriptor, 0),
      unsafe start != MAP_FAILED
    else { throw .last("map", path) }
    address = UInt(bitPattern: start)
    guard lease == nil else { return }
    do { try unsafe Self.read(descriptor, path, start, count) } catch {
      unsafe _ = munmap(start, count)
      throw error
    }
  }

  deinit {
    if address != 0 { _ = unsafe munmap(UnsafeMutableRawPointer(bitPattern: address), count) }
  }

  /// Somebody wants to write to the file, or to shorten it, and waits for this object to go: the bytes
  /// stay as they are for some seconds. Never, of a copy. One system call.
  package var isWanted: Bool { lease?.isWanted ?? false }

  /// The bytes, valid inside `body` only.
  package func withBytes<Result, Failure: Error>(
    _ body: (UnsafeRawBufferPointer) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try unsafe body(
      UnsafeRawBufferPointer(start: UnsafeRawPointer(bitPattern: address), count: count))
  }

  private static func read(
    _ descriptor: Int32, _ path: String, _ start: UnsafeMutableRawPointer, _ count: Int
  ) throws(FileError) {
    var done = 0
    while done < count {
      let taken = unsafe pread(descriptor, start + done, count - done, done)
      if taken < 0 {
        if errno == EINTR { continue }
        throw .last("read", path)
      }
      guard taken > 0 else { throw .changed(path: path) }
      done += taken
    }
    guard unsafe mprotect(start, count, PROT_READ) == 0 else { throw .last("map", path) }
  }
}
