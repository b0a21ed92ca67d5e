/// A text that is read as far as its tokens are wanted, and further when more are: what a pair's
/// truncation, a count and a query beside many texts need, without reading anything twice.
///
/// Tokens past `keep` are counted and let go, so that a reader's memory is bounded by what is asked of
/// it and not by the text. A value: a copy reads on for itself.
package struct TokenReader: Sendable {
  /// Bytes between two calls of a check: well under a millisecond of work.
  package static let stride = 1 << 14

  private let tokenizer: WordPiece
  let text: String
  private var scan: WordPiece.Scan
  private(set) var writer: PieceWriter
  private let keep: Int
  package private(set) var isAtEnd = false

  init(_ text: String, _ tokenizer: WordPiece, keep: Int) {
    self.text = text
    self.tokenizer = tokenizer
    self.keep = keep
    scan = WordPiece.Scan(tokenizer.options)
    writer = PieceWriter(trie: tokenizer.trie, unknown: tokenizer.unknown, limit: 0)
    writer.reserve(min(text.utf8.count / 4 + 2, min(keep, 4094) + 2))
  }

  /// Tokens read so far; the text's own number once `isAtEnd`.
  package var count: Int { writer.count }

  /// Reads until more than `limit` tokens are counted, the text ends, or `bytes` more were read.
  /// `check` is called between stretches of `stride` bytes; what it throws ends the reading.
  package mutating func read<Failure: Error>(
    past limit: Int, bytes: Int = .max, check: () throws(Failure) -> Void
  ) throws(Failure) {
    writer.limit = limit
    let size = text.utf8.count
    let end = bytes < size - scan.place ? scan.place + bytes : size
    while !isAtEnd, !writer.isFull {
      guard scan.place < size else {
        tokenizer.end(&scan, &writer)
        isAtEnd = true
        break
      }
      guard scan.place < end else { break }
      let whole = size <= Self.stride
      tokenizer.scan(
        text.utf8.span, &scan, to: min(end, scan.place + Self.stride), into: &writer)
      writer.drop(beyond: keep)
      if !whole { try check() }
    }
  }

  package mutating func read(past limit: Int) { read(past: limit) {} }
}
