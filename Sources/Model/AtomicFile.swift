internal import Glibc

/// Writes a file that is there whole or not at all: into a temporary file of the same directory,
/// flushed to the disk, then renamed over the target, then the directory flushed. After a crash at
/// any instant the path holds the old file or the new one; a leftover begins with `leftoverPrefix`.
package struct AtomicFile: ~Copyable {
  package static let leftoverPrefix = ".vbert-tmp-"

  private let target: String
  private let directory: String
  private let temporary: String
  private var descriptor: Int32
  private var pending: [UInt8] = []
  /// Bytes gathered before they go to the system.
  private static let bufferBytes = 1 << 18

  /// Throws `SafetensorsError.file` when the directory is missing or not writable.
  package init(replacing path: String) throws(SafetensorsError) {
    target = path
    let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
    directory = slash.map { String(path[...$0]) } ?? "./"
    let number = String(UInt64.random(in: 0...(.max)), radix: 36)
    temporary = directory + Self.leftoverPrefix + number
    descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw Self.failure("create a file in", directory) }
    pending.reserveCapacity(Self.bufferBytes)
  }

  /// Without a `commit`, nothing stays.
  deinit {
    if descriptor >= 0 {
      close(descriptor)
      unsafe _ = unlink(temporary)
    }
  }

  package mutating func append(_ bytes: some Sequence<UInt8>) throws(SafetensorsError) {
    pending.append(contentsOf: bytes)
    if pending.count >= Self.bufferBytes { try flush() }
  }

  package mutating func append(_ bytes: UnsafeRawBufferPointer) throws(SafetensorsError) {
    try flush()
    var rest = unsafe bytes
    while unsafe !rest.isEmpty {
      let written = unsafe write(descriptor, rest.baseAddress, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        throw Self.failure("write", target)
      }
      unsafe rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
  }

  private mutating func flush() throws(SafetensorsError) {
    if pending.isEmpty { return }
    var full: [UInt8] = []
    swap(&full, &pending)
    try unsafe full.span.bytes.withUnsafeBytes { (raw) throws(SafetensorsError) in
      try unsafe append(raw)
    }
    full.removeAll(keepingCapacity: true)
    swap(&full, &pending)
  }

  /// Makes the file appear. Throws when the disk refuses; then nothing has changed.
  package consuming func commit() throws(SafetensorsError) {
    try flush()
    guard fsync(descriptor) == 0 else { throw Self.failure("write", target) }
    guard unsafe rename(temporary, target) == 0 else { throw Self.failure("replace", target) }
    close(descriptor)
    descriptor = -1
    try Self.flushDirectory(directory)
  }

  /// Waits until the directory's entries are on the disk, so that a rename survives a power cut.
  package static func flushDirectory(_ path: String) throws(SafetensorsError) {
    let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("flush", path) }
  }

  private static func failure(_ operation: String, _ path: String) -> SafetensorsError {
    .file(path: path, operation: operation, reason: unsafe String(cString: strerror(errno)))
  }
}
