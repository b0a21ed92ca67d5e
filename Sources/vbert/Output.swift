import Foundation

/// What verbs print on stdout. Progress and complaints go to stderr, so this can be piped.
enum Output {
  /// One line: keys sorted, snake_case, times as ISO 8601. JSON has no word for what is no number: such a
  /// value is the text "nan" or "inf".
  static func json(_ value: some Encodable) throws { try say(try line(value)) }

  /// A line that must arrive: throws what the disk or the pipe behind stdout says.
  static func say(_ line: String) throws {
    // What was printed before comes before.
    fflush(nil)
    do { try FileHandle.standardOutput.write(contentsOf: Data((line + "\n").utf8)) } catch {
      throw OutputError()
    }
  }

  /// The same, not printed.
  static func line(_ value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.dateEncodingStrategy = .iso8601
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }

  /// Columns as wide as their widest cell; nothing at all for no rows.
  static func table(_ titles: [String], _ rows: [[String]]) {
    guard !rows.isEmpty else { return }
    let widths = titles.indices.map { column in
      ([titles] + rows).map { $0[column].unicodeScalars.count }.max() ?? 0
    }
    for row in [titles] + rows {
      let cells = zip(row, widths).map { cell, width in
        cell + String(repeating: " ", count: width - cell.unicodeScalars.count)
      }
      print(cells.joined(separator: "  ").trimmingSuffix(while: \.isWhitespace))
    }
  }
}

/// What was to be said could not be: a full disk, a pipe that nobody reads.
struct OutputError: Error, CustomStringConvertible {
  var description: String { "stdout cannot be written" }
}

extension String {
  fileprivate func trimmingSuffix(while matches: (Character) -> Bool) -> Substring {
    var rest = self[...]
    while let last = rest.last, matches(last) { rest.removeLast() }
    return rest
  }
}
