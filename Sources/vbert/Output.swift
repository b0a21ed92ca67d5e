import Foundation

/// What verbs print on stdout. Progress and complaints go to stderr, so this can be piped.
enum Output {
  /// One line: keys sorted, snake_case, times as ISO 8601. JSON has no word for what is no number: such a
  /// value is the text "nan" or "inf".
  static func json(_ value: some Encodable) throws { print(try line(value)) }

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

extension String {
  fileprivate func trimmingSuffix(while matches: (Character) -> Bool) -> Substring {
    var rest = self[...]
    while let last = rest.last, matches(last) { rest.removeLast() }
    return rest
  }
}
