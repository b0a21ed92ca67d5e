internal import Files
internal import Foundation
internal import Glibc

/// A home is its owner's alone: files 0600, directories 0700, whatever the umask is and whoever made them.
package enum HomeModes {
  /// Takes away what others may do with this file or directory; links, and what is not ours, stay.
  /// Returns whether there was something.
  @discardableResult
  static func tighten(_ path: String) -> Bool {
    var status = stat()
    guard unsafe lstat(path, &status) == 0 else { return false }
    let kind = status.st_mode & S_IFMT
    guard kind == S_IFREG || kind == S_IFDIR, status.st_mode & 0o077 != 0 else { return false }
    return unsafe chmod(path, status.st_mode & 0o700) == 0
  }

  /// The same for all of a home, as older versions left it. Follows no link. O(files).
  @discardableResult
  package static func tighten(_ home: Home) -> Int {
    var count = tighten(home.root.filePath) ? 1 : 0
    // Gives links, and goes into none.
    let paths = FileManager.default.enumerator(atPath: home.root.filePath)
    while let path = paths?.nextObject() as? String {
      if tighten(home.root.filePath + "/" + path) { count += 1 }
    }
    return count
  }
}
