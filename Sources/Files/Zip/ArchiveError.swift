/// What can be wrong with a text file, a gzip stream or a zip archive. `path` names the file.
package enum ArchiveError: Error, Equatable, CustomStringConvertible {
  case file(FileError)
  case noMemory(path: String)
  /// Compressed bytes that are not what they claim to be.
  case corrupt(path: String, what: String)
  /// Another format than text; what it is and what to do.
  case notText(path: String, what: String)
  case lineTooLong(path: String, line: Int, limit: Int)
  /// A zip feature that we do not read.
  case unsupported(path: String, what: String)
  case noEntry(path: String, name: String)
  case entryTooLarge(path: String, name: String, bytes: Int, limit: Int)
  /// One of several archives that together hold another one.
  case part(path: String, what: String)

  package var description: String {
    switch self {
    case .file(let error): "\(error)"
    case .noMemory(let path): "cannot unpack \(path): leave more memory free"
    case .corrupt(let path, let what): "\(path) is damaged: \(what); fetch or make it again"
    case .notText(let path, let what): "\(path) \(what)"
    case .lineTooLong(let path, let line, let limit):
      "\(path), line \(line): longer than \(limit) bytes; is it a text file?"
    case .unsupported(let path, let what):
      "\(path): \(what); unpack it yourself and give the directory"
    case .noEntry(let path, let name): "\(path) holds no file \(name)"
    case .entryTooLarge(let path, let name, let bytes, let limit):
      "\(path): \(name) would unpack to \(bytes) bytes, more than \(limit)"
    case .part(let path, let what): "\(path): \(what)"
    }
  }
}
