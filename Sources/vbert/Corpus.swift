import Files
import Foundation
import Model

/// Files of plain text, one text a line.
enum Corpus {
  private static let lines = 10_000

  /// Says of files what is read as text and is perhaps not meant so: rows of JSON, which somebody labelled,
  /// and text in another encoding, whose bytes are replaced. By the first line, and by the first thousands of
  /// them. Pipes are let be, since what is read of one is gone. Throws `ArchiveError`.
  static func warn(of paths: [String]) throws {
    for path in paths {
      guard FileKind(URL(filePath: path).resolvingSymlinksInPath()) == .file else { continue }
      let reader = try LineReader(path: path)
      while let line = try reader.next(), line.number <= lines {
        if line.number == 1, line.bytes.first == UInt8(ascii: "{"),
          (try? JSONValue(line.bytes))?.kind == .object
        {
          ProgressLine.warn(
            "\(path) begins with a JSON object: its names and braces are read as text too; a corpus is the texts "
              + "alone, one a line")
        }
        guard String(validating: line.bytes, as: UTF8.self) == nil else { continue }
        ProgressLine.warn(
          "\(path), line \(line.number) is not UTF-8: bytes that are none are read as \u{FFFD}; convert the file, for "
            + "example with iconv -f latin1 -t utf8")
        break
      }
    }
  }
}
