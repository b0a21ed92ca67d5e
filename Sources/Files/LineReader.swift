internal import Glibc

/// The lines of a text file, plain or gzip (told by its first bytes), one after the other: the file
/// may be larger than memory, a line may not be longer than a bound.
///
/// ```
/// let reader = try LineReader(path: path)
/// while let line = try reader.next() { … }
/// ```
package final class LineReader {
  package struct Line {
    /// Counts from 1.
    package var number: Int
    /// Without the line feed, and without a carriage return before it.
    package var bytes: [UInt8]

    /// Nothing but spaces and tabs.
    package var isBlank: Bool { bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 } }
  }

  private let file: TextFile
  private let limit: Int
  private var piece: [UInt8] = []
  private var position = 0
  private var number = 0
  private var isAtEnd = false

  /// `limit` is the longest line in bytes. Throws `ArchiveError`.
  package init(path: String, limit: Int = 16 << 20) throws(ArchiveError) {
    file = try TextFile(path: path)
    self.limit = limit
  }

  /// The next line; nil at the end. What follows the last line feed is a line if it is not empty.
  /// Throws `ArchiveError`, after which there are no more lines.
  package func next() throws(ArchiveError) -> Line? {
    guard !isAtEnd else { return nil }
    var bytes: [UInt8] = []
    while true {
      if position == piece.count {
        isAtEnd = true
        try file.read(into: &piece)
        position = 0
        if piece.isEmpty {
          return bytes.isEmpty ? nil : Line(number: number + 1, bytes: bytes)
        }
        isAtEnd = false
      }
      let end = endOfLine()
      guard bytes.count + (end ?? piece.count) - position <= limit else {
        isAtEnd = true
        throw .lineTooLong(path: file.path, line: number + 1, limit: limit)
      }
      bytes.append(contentsOf: piece[position..<(end ?? piece.count)])
      position = end ?? piece.count
      if end != nil {
        position += 1
        number += 1
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        return Line(number: number, bytes: bytes)
      }
    }
  }

  /// Where the next line feed of the piece is.
  private func endOfLine() -> Int? {
    unsafe piece.withUnsafeBytes { bytes in
      guard let start = unsafe bytes.baseAddress?.advanced(by: position),
        let found = unsafe memchr(start, 0x0A, bytes.count - position)
      else { return nil }
      return unsafe position + UnsafeRawPointer(start).distance(to: found)
    }
  }
}
