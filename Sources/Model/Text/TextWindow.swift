/// From places in an input back to its stretches, as far as its words were looked at.
package struct TextWindow: Sendable {
  /// Of the text from where its first word is looked for to where its last one ends.
  private let scalars: [Unicode.Scalar]
  /// Code points before them.
  private let begin: Int

  /// Given words are joined by single spaces.
  package init(_ input: TextInput, _ encoded: EncodedText) {
    begin = encoded.begin.points
    switch input {
    case .text(let text), .running(let text), .pair(let text, _):
      let count = Int(encoded.words.last?.span.end ?? 0) - begin
      let start = text.utf8.index(text.startIndex, offsetBy: encoded.begin.bytes)
      scalars = Array(text.unicodeScalars[start...].prefix(max(0, count)))
    case .words(let list): scalars = Array(list.joined(separator: " ").unicodeScalars)
    }
  }

  /// `span` in code points of the whole text.
  package func text(_ span: Range<Int>) -> String {
    var view = String.UnicodeScalarView()
    view.append(contentsOf: scalars[span.lowerBound - begin..<span.upperBound - begin])
    return String(view)
  }
}
