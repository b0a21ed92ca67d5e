package import Foundation
internal import Glibc

/// Files on their way to a name of their own. A lock says that their writer lives; one that nobody holds
/// is what a crash left.
package enum Leftover {
  package static let prefix = ".vbert-tmp-"

  /// A path in the directory that is nobody's yet.
  static func path(in directory: String) -> String {
    let number = String(UInt64.random(in: 0...(.max)), radix: 36)
    return (directory.hasSuffix("/") ? directory : directory + "/") + prefix + number
  }

  /// An open file of that kind; `isShared`: as the umask lets, not its owner's alone. Throws `FileError`.
  static func create(
    in directory: String, isShared: Bool = false
  ) throws(FileError) -> (descriptor: Int32, path: String) {
    while true {
      let path = path(in: directory)
      let descriptor = unsafe open(
        path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, isShared ? 0o666 : 0o600)
      guard descriptor >= 0 else { throw .last("create a file in", directory) }
      // Where there are no locks, nobody sweeps either.
      while flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EINTR {}
      // Swept in between: another one.
      if FileLock.isNamed(descriptor) { return (descriptor, path) }
      close(descriptor)
    }
  }

  /// Removes those of a directory whose writers are gone. Follows no link. Returns how many went.
  package static func sweep(_ directory: URL) -> Int {
    guard FileKind(directory) == .directory,
      let names = try? FileManager.default.contentsOfDirectory(atPath: directory.filePath)
    else { return 0 }
    return names.count { name in
      name.hasPrefix(prefix) && remove(directory.appending(path: name).filePath)
    }
  }

  private static func remove(_ path: String) -> Bool {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG,
      flock(descriptor, LOCK_EX | LOCK_NB) == 0
    else { return false }
    return unsafe unlink(path) == 0
  }
}
