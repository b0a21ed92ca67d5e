/// A word of a text, and where it lies.
package struct TextWord: Sendable, Hashable {
  package let text: String
  /// Code points in the text.
  package let span: TextSpan

  package init(text: String, span: TextSpan) {
    self.text = text
    self.span = span
  }
}

/// The words of a running text, as tagged corpora have them: split at white space, punctuation marks
/// at either end of a piece apart, those inside left alone ("don't", "1996-08-22"). Linear.
package func splitWords(_ text: String) -> [TextWord] {
  var splitter = WordSplitter(text)
  var words: [TextWord] = []
  while let word = splitter.next(check: {}) { words.append(word) }
  return words
}

/// The same words one at a time: the text is not read beyond the piece that the last one came from.
package struct WordSplitter: Sendable {
  private let text: String.UnicodeScalarView
  private var next: String.Index
  /// `next` in code points.
  private var place: Int32 = 0
  /// Up to here the marks behind the last word are words of their own.
  private var marksEnd: String.Index

  package init(_ text: String) {
    self.text = text.unicodeScalars
    next = text.startIndex
    marksEnd = text.startIndex
  }

  /// nil at the end of the text. `check` is called now and then in a long piece; what it throws ends
  /// the splitting.
  package mutating func next<Failure: Error>(
    check: () throws(Failure) -> Void
  ) throws(Failure) -> TextWord? {
    if next < marksEnd { return mark() }
    try skip(check: check) { $0.isSpace }
    guard next < text.endIndex else { return nil }
    if text[next].isPunctuation { return mark() }
    let (start, from) = (next, place)
    try skip(check: check) { !$0.isSpace }
    marksEnd = next
    // The marks at the end of the piece are given out after the word.
    while text[text.index(before: next)].isPunctuation {
      next = text.index(before: next)
      place -= 1
    }
    return word(start..<next, from: from)
  }

  private mutating func mark() -> TextWord {
    let (start, from) = (next, place)
    next = text.index(after: next)
    place += 1
    return word(start..<next, from: from)
  }

  private func word(_ range: Range<String.Index>, from: Int32) -> TextWord {
    TextWord(text: String(text[range]), span: TextSpan(start: from, end: place))
  }

  private mutating func skip<Failure: Error>(
    check: () throws(Failure) -> Void, while condition: (Unicode.Scalar) -> Bool
  ) throws(Failure) {
    var passed = 0
    while next < text.endIndex, condition(text[next]) {
      next = text.index(after: next)
      place += 1
      passed += 1
      if passed % TokenReader.stride == 0 { try check() }
    }
  }
}

extension Unicode.Scalar {
  fileprivate var isSpace: Bool {
    value < 0x80 ? value == 0x20 || 0x09...0x0D ~= value : properties.isWhitespace
  }

  fileprivate var isPunctuation: Bool {
    switch properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      true
    default: false
    }
  }
}
