/// The words of a running text from the last to the first, as `WordSplitter` splits them: white space
/// lies between words whatever stands around it, so stretches between two spaces are split one by one.
///
/// Linear in what is read; holds the words of one stretch, and `most` of these at most.
package struct LastWords: Sendable {
  private let text: String
  private let most: Int
  private let splitsIdeographs: Bool
  /// Bytes before which nothing was read yet, and code points from there to the end.
  private var unread: Int
  private var pointsBehind: Int32 = 0
  private var words: [TextWord] = []

  package init(_ text: String, most: Int, splitsIdeographs: Bool = true) {
    (self.text, self.most, self.splitsIdeographs) = (text, most, splitsIdeographs)
    unread = text.utf8.count
  }

  /// Where reading has come to, in bytes, and in code points before the text's end.
  package var place: (bytes: Int, pointsBehind: Int32) { (unread, pointsBehind) }

  /// The word before the last one that was given; nil at the beginning of the text. Its span counts from
  /// the end of the text: the last code point is -1 to 0.
  package mutating func previous<Failure: Error>(
    check: () throws(Failure) -> Void
  ) throws(Failure) -> TextWord? {
    while words.isEmpty, unread > 0 {
      try check()
      try split(check: check)
    }
    return words.popLast()
  }

  private mutating func split<Failure: Error>(
    check: () throws(Failure) -> Void
  ) throws(Failure) {
    let bytes = text.utf8.span
    var start = unread - min(unread, 4096)
    while start > 0, !Self.isSpace(bytes[start - 1]) {
      start -= 1
      if start % TokenReader.stride == 0 { try check() }
    }
    let utf8 = text.utf8
    let from = utf8.index(utf8.startIndex, offsetBy: start)
    let to = utf8.index(from, offsetBy: unread - start)
    let stretch = String(text[from..<to])
    let points = codePoints(stretch.utf8.span, before: stretch.utf8.count)
    pointsBehind += points
    unread = start
    var splitter = WordSplitter(stretch, splitsIdeographs: splitsIdeographs)
    while let word = try splitter.next(check: check) {
      if words.count >= 2 * most { words.removeFirst(words.count - most) }
      words.append(word.moved(by: -pointsBehind))
    }
    words.removeFirst(max(0, words.count - most))
  }

  /// ASCII's white space.
  private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0D ~= byte }
}

extension TextWord {
  /// The same word so many code points further on.
  package func moved(by points: Int32) -> TextWord {
    TextWord(text: text, span: TextSpan(start: span.start + points, end: span.end + points))
  }
}
