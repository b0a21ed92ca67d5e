internal import Glibc

/// Why a file, whatever it holds, could not be opened, written or locked.
package enum FileError: Error, Equatable, CustomStringConvertible {
  /// The system refused; `code` is its number for the reason (errno).
  case refused(path: String, operation: String, code: Int32)
  /// A directory, a pipe or a device stands where a file is expected.
  case notRegular(path: String)
  /// It became shorter while it was read.
  case changed(path: String)

  /// The error of the system call that has just failed.
  package static func last(_ operation: String, _ path: String) -> FileError {
    .refused(path: path, operation: operation, code: errno)
  }

  package var path: String {
    switch self {
    case .refused(let path, _, _), .notRegular(let path), .changed(let path): path
    }
  }

  /// The system's own words.
  package var reason: String {
    switch self {
    case .refused(_, _, let code): unsafe String(cString: strerror(code))
    case .notRegular: "not a regular file"
    case .changed: "it became shorter meanwhile"
    }
  }

  package var description: String {
    switch self {
    case .refused(let path, let operation, let code):
      "cannot \(operation) \(path): \(reason)" + (Self.advice(code).map { "; \($0)" } ?? "")
    case .notRegular(let path): "cannot open \(path): \(reason); give the path of a file"
    case .changed(let path):
      "cannot read \(path): \(reason); try again when nobody writes to it"
    }
  }

  /// What somebody can do about it; nil where the reason says all there is to say.
  private static func advice(_ code: Int32) -> String? {
    switch code {
    case ENOENT, ENOTDIR: "is the path right?"
    case EACCES, EPERM: "look at the permissions of the file and of the directories above it"
    case EISDIR: "give the path of a file"
    case ENOSPC, EDQUOT: "make room on the disk"
    case EROFS: "choose a place that can be written to"
    case EMFILE, ENFILE: "allow more open files (ulimit -n)"
    case ENOMEM: "leave more memory free"
    case EIO: "the disk fails: look at the system's log"
    default: nil
    }
  }
}
