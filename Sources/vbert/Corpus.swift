import Files
import Foundation
import Model

/// Files of plain text, one text a line.
enum Corpus {
  /// Says of files whose first line is a JSON object that all of it is read as text: it may be meant, as where
  /// requests are JSON, but mostly somebody gave labelled rows. Pipes are let be, since what is read of one is
  /// gone.
  static func warnOfRows(in paths: [String]) throws {
    for path in paths {
      let type = try? FileManager.default.attributesOfItem(
        atPath: URL(filePath: path).resolvingSymlinksInPath().filePath)[.type]
      guard type as? FileAttributeType == .typeRegular,
        let line = try LineReader(path: path).next(), line.bytes.first == UInt8(ascii: "{"),
        (try? JSONValue(line.bytes))?.kind == .object
      else { continue }
      ProgressLine.warn(
        "\(path) begins with a JSON object: its names and braces are read as text too; a corpus is the texts "
          + "alone, one a line")
    }
  }
}
