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

/// The words of a running text, one at a time, as tagged corpora have them: split at white space,
/// punctuation marks at either end of a piece apart, those inside left alone ("don't", "1996-08-22").
/// Where the tokeniser sets ideographs apart, each is a word, and so are the marks of their scripts,
/// wherever they stand. Linear; the text is not read beyond the piece that the last word came from.
package struct WordSplitter: Sendable {
  private let text: String.UnicodeScalarView
  /// Ideographs are words.
  private let splitsIdeographs: Bool
  private var next: String.Index
  /// `next` in code points.
  private var place: Int32 = 0
  /// Up to here the marks behind the last word are words of their own.
  private var marksEnd: String.Index

  package init(_ text: String, splitsIdeographs: Bool = true) {
    self.text = text.unicodeScalars
    self.splitsIdeographs = splitsIdeographs
    next = text.startIndex
    marksEnd = text.startIndex
  }

  /// All of them.
  package static func words(of text: String, splitsIdeographs: Bool = true) -> [TextWord] {
    var splitter = WordSplitter(text, splitsIdeographs: splitsIdeographs)
    var words: [TextWord] = []
    while let word = splitter.next(check: {}) { words.append(word) }
    return words
  }

  /// nil at the end of the text. `check` is called now and then in a long piece; what it throws ends
  /// the splitting.
  package mutating func next<Failure: Error>(
    check: () throws(Failure) -> Void
  ) throws(Failure) -> TextWord? {
    if next < marksEnd { return mark() }
    try skip(check: check) { $0.isSpace }
    guard next < text.endIndex else { return nil }
    let splits = splitsIdeographs
    if text[next].isPunctuation || text[next].standsAlone(splits) { return mark() }
    let (start, from) = (next, place)
    try skip(check: check) { !$0.isSpace && !$0.standsAlone(splits) }
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

  /// An ideograph as the tokeniser has them, or a mark that is written among them without spaces.
  fileprivate func standsAlone(_ splitsIdeographs: Bool) -> Bool {
    guard splitsIdeographs, value >= 0x3000 else { return false }
    if BertUnicode.shared.traits(of: value).contains(.ideograph) { return true }
    switch value {
    // CJK Symbols and Punctuation, the katakana middle dot, vertical and full-width forms.
    case 0x3000...0x303F, 0x30FB, 0xFE10...0xFE6F, 0xFF00...0xFFEF: return isPunctuation
    default: return false
    }
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
