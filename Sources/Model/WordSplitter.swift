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
  var words: [TextWord] = []
  var piece: [Unicode.Scalar] = []
  var start: Int32 = 0
  var place: Int32 = 0

  func add(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    var scalars = String.UnicodeScalarView()
    scalars.append(contentsOf: piece[range])
    let from = start + Int32(range.lowerBound)
    words.append(
      TextWord(
        text: String(scalars), span: TextSpan(start: from, end: from + Int32(range.count))))
  }
  func endPiece() {
    var (first, last) = (0, piece.count)
    while first < last, piece[first].isPunctuation { first += 1 }
    while last > first, piece[last - 1].isPunctuation { last -= 1 }
    for mark in 0..<first { add(mark..<mark + 1) }
    add(first..<last)
    for mark in last..<piece.count { add(mark..<mark + 1) }
    piece.removeAll(keepingCapacity: true)
  }

  for scalar in text.unicodeScalars {
    if scalar.properties.isWhitespace {
      endPiece()
    } else {
      if piece.isEmpty { start = place }
      piece.append(scalar)
    }
    place += 1
  }
  endPiece()
  return words
}

extension Unicode.Scalar {
  fileprivate var isPunctuation: Bool {
    switch properties.generalCategory {
    case .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
      .initialPunctuation, .finalPunctuation, .otherPunctuation:
      true
    default: false
    }
  }
}
