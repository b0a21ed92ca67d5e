package import Foundation
internal import Glibc

/// What a path itself is: links are not followed.
package enum FileKind {
  case directory, file, link, other, missing

  package init(_ url: URL) {
    var path = url.filePath
    // With a slash at its end a link to a directory would be followed.
    while path.count > 1, path.hasSuffix("/") { path.removeLast() }
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else {
      self = .missing
      return
    }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: self = .directory
    case S_IFREG: self = .file
    case S_IFLNK: self = .link
    default: self = .other
    }
  }
}
