/// An answer that is written piece by piece, so that no more of it than a piece is ever in memory
/// beside what it is made of.
protocol JSONPieces: Sendable {
  /// Writes the next piece; false when that was the last.
  mutating func next(_ writer: inout JSONWriter) -> Bool
}

/// A list of items, perhaps with something around it.
struct JSONItems: JSONPieces {
  private let opening: @Sendable (inout JSONWriter) -> Void
  private let count: Int
  private let item: @Sendable (Int, inout JSONWriter) -> Void
  private let closing: @Sendable (inout JSONWriter) -> Void
  private var written = 0

  init(
    _ count: Int, opening: @escaping @Sendable (inout JSONWriter) -> Void = { $0.open("[") },
    closing: @escaping @Sendable (inout JSONWriter) -> Void = { $0.close("]") },
    item: @escaping @Sendable (Int, inout JSONWriter) -> Void
  ) {
    (self.opening, self.count, self.item, self.closing) = (opening, count, item, closing)
  }

  /// One item may be written without a list around it.
  init(
    _ count: Int, isSingle: Bool, item: @escaping @Sendable (Int, inout JSONWriter) -> Void
  ) {
    if isSingle {
      self.init(count, opening: { _ in }, closing: { _ in }, item: item)
    } else {
      self.init(count, item: item)
    }
  }

  /// OpenAI's lists: an object whose `data` they are, with other members `before` and `after` it.
  static func data(
    _ count: Int, before: @escaping @Sendable (inout JSONWriter) -> Void,
    after: @escaping @Sendable (inout JSONWriter) -> Void,
    item: @escaping @Sendable (Int, inout JSONWriter) -> Void
  ) -> JSONItems {
    JSONItems(
      count,
      opening: { writer in
        writer.open("{")
        before(&writer)
        writer.key("data")
        writer.open("[")
      },
      closing: { writer in
        writer.close("]")
        after(&writer)
        writer.close("}")
      }, item: item)
  }

  mutating func next(_ writer: inout JSONWriter) -> Bool {
    if written == 0 { opening(&writer) }
    if written < count {
      item(written, &writer)
      written += 1
    }
    if written == count { closing(&writer) }
    return written < count
  }
}
