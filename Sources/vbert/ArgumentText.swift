import ArgumentParser
import Foundation

/// What the shell gave, as it gave it: the library repairs what is no text, and a text that was repaired is
/// another one than was asked about (a request with such bytes is refused too).
enum ArgumentText {
  /// Throws `ValidationError` where an argument of this process is not UTF-8.
  static func check() throws {
    guard let all = FileManager.default.contents(atPath: "/proc/self/cmdline") else { return }
    if let number = firstBroken(all) {
      throw ValidationError(
        "argument \(number) is not UTF-8; convert it, or the terminal's encoding")
    }
  }

  /// The number of the first argument that is not UTF-8, the command's own name being 0. `all`: each with
  /// a zero behind it.
  static func firstBroken(_ all: Data) -> Int? {
    all.split(separator: 0, omittingEmptySubsequences: false)
      .firstIndex { String(validating: $0, as: UTF8.self) == nil }
  }
}
