internal import Glibc

/// Writes a file that is there whole or not at all: into a temporary file of the same directory,
/// flushed to the disk, then renamed over the target, then the directory flushed. After a crash at
/// any instant the path holds the old file or the new one; a `Leftover` may stay.
/// Its methods throw `FileError` when the disk refuses.
package struct AtomicFile: ~Copyable {
  private let target: String
  private let directory: String
  private let temporary: String
  private var descriptor: Int32
  private var pending: [UInt8] = []
  /// Bytes gathered before they go to the system.
  private static let bufferBytes = 1 << 18

  /// Readable by its owner alone; `isShared`: by whom the process's umask lets. Throws `FileError` when
  /// the directory is missing or not writable.
  package init(replacing path: String, isShared: Bool = false) throws(FileError) {
    target = path
    directory = Self.directory(of: path)
    (descriptor, temporary) = try Leftover.create(in: directory, isShared: isShared)
    pending.reserveCapacity(Self.bufferBytes)
  }

  /// Without a `commit`, nothing stays.
  deinit {
    if descriptor >= 0 {
      close(descriptor)
      unsafe _ = unlink(temporary)
    }
  }

  /// The whole file at once.
  package static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
    var file = try AtomicFile(replacing: path)
    try file.append(bytes)
    try file.commit()
  }

  package mutating func append(_ bytes: some Sequence<UInt8>) throws(FileError) {
    pending.append(contentsOf: bytes)
    if pending.count >= Self.bufferBytes { try flush() }
  }

  package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(FileError) {
    try flush()
    try unsafe writeAll(bytes, to: descriptor, target)
  }

  private mutating func flush() throws(FileError) {
    if pending.isEmpty { return }
    var full: [UInt8] = []
    swap(&full, &pending)
    try unsafe full.span.bytes.withUnsafeBytes { (raw) throws(FileError) in
      try unsafe append(raw)
    }
    full.removeAll(keepingCapacity: true)
    swap(&full, &pending)
  }

  /// Makes the file appear. Throws when the disk refuses; then nothing has changed.
  package consuming func commit() throws(FileError) {
    try flush()
    guard fsync(descriptor) == 0 else { throw .last("write", target) }
    guard unsafe rename(temporary, target) == 0 else { throw .last("replace", target) }
    close(descriptor)
    descriptor = -1
    try Self.flushDirectory(directory)
  }

  /// A finished file of the same directory takes the place of `path`: flushed, renamed, the directory
  /// flushed.
  package static func replace(_ path: String, by finished: String) throws(FileError) {
    let descriptor = unsafe open(finished, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last("open", finished) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .last("write", finished) }
    guard unsafe rename(finished, path) == 0 else { throw .last("replace", path) }
    try flushDirectory(directory(of: path))
  }

  /// The directory of a path, with a slash at its end.
  static func directory(of path: String) -> String {
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    return slash.map { String(path[...$0]) } ?? "./"
  }

  /// Waits until the directory's entries are on the disk, so that a rename survives a power cut.
  package static func flushDirectory(_ path: String) throws(FileError) {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .last("open", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .last("flush", path) }
  }
}
