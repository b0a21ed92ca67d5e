/// The tags of one row of a file.
package struct TaggedRow: Sendable {
  /// Counts from 1.
  package var line: Int
  package var tags: [String]

  package init(line: Int, tags: [String]) { (self.line, self.tags) = (line, tags) }
}

/// A file's tags, each text once: what schemes are tried on. Tags are told apart by their bytes.
struct TagTable {
  private(set) var names: [String] = []
  private(set) var rows: [[Int]] = []
  private(set) var lines: [Int] = []
  private var numbers: [[UInt8]: Int] = [:]

  /// O(words).
  init(_ list: [TaggedRow]) {
    rows.reserveCapacity(list.count)
    for row in list {
      lines.append(row.line)
      rows.append(
        row.tags.map { tag in
          let bytes = Array(tag.utf8)
          if let number = numbers[bytes] { return number }
          numbers[bytes] = names.count
          names.append(tag)
          return names.count - 1
        })
    }
  }

  func number(_ name: String) -> Int? { numbers[Array(name.utf8)] }
  var hasOutside: Bool { number("O") != nil }

  /// "o" and "0", where they are likelier slips for O than tags: no other is one small letter, or one
  /// digit.
  var slips: [Int] {
    [("o", UInt8(ascii: "a")...UInt8(ascii: "z")), ("0", UInt8(ascii: "0")...UInt8(ascii: "9"))]
      .compactMap { name, alike -> Int? in
        let likes = names.count { $0.utf8.count == 1 && $0.utf8.allSatisfy(alike.contains) }
        return likes == 1 ? number(name) : nil
      }
  }
}
