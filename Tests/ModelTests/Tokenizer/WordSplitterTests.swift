import TestSupport
import Testing

@testable import Model

@Suite struct WordSplitterTests {
  /// Splits at white space first, then takes the marks off both ends.
  private func naive(_ text: String) -> [TextWord] {
    let scalars = Array(text.unicodeScalars)
    var words: [TextWord] = []
    var start = 0
    func add(_ range: Range<Int>) {
      guard !range.isEmpty else { return }
      var view = String.UnicodeScalarView()
      view.append(contentsOf: scalars[range])
      words.append(
        TextWord(
          text: String(view),
          span: TextSpan(start: Int32(range.lowerBound), end: Int32(range.upperBound))))
    }
    func isMark(_ scalar: Unicode.Scalar) -> Bool {
      [
        .connectorPunctuation, .dashPunctuation, .openPunctuation, .closePunctuation,
        .initialPunctuation, .finalPunctuation, .otherPunctuation,
      ].contains(scalar.properties.generalCategory)
    }
    for end in 0...scalars.count
    where end == scalars.count || scalars[end].properties.isWhitespace {
      var (first, last) = (start, end)
      while first < last, isMark(scalars[first]) { first += 1 }
      while last > first, isMark(scalars[last - 1]) { last -= 1 }
      for mark in start..<first { add(mark..<mark + 1) }
      add(first..<last)
      for mark in last..<end { add(mark..<mark + 1) }
      start = end + 1
    }
    return words
  }

  @Test func fuzzedTextIsSplitAsAllAtOnce() {
    Fuzz.run { generator, seed in
      let parts = [
        "a", "Z", "\u{E9}", "e\u{301}", " ", "\n", "\u{85}", "\u{2003}", ".", "\u{2019}", "-",
        "\u{3002}", "\u{1F600}", "1", "\u{0}",
      ]
      let text = (0..<Int.random(in: 0...40, using: &generator))
        .map { _ in parts[Int.random(in: 0..<parts.count, using: &generator)] }.joined()
      #expect(splitWords(text) == naive(text), "seed \(seed): \(text.debugDescription)")
    }
  }

  private struct Stop: Error {}

  @Test func wordsComeBeforeTheTextIsReadToItsEnd() throws {
    // Marks first, each a word; then a piece that is read in stretches.
    var splitter = WordSplitter("..a " + String(repeating: "b", count: 1 << 18))
    for expected in [".", ".", "a"] {
      let word = try splitter.next { () throws(Stop) in throw Stop() }
      #expect(word?.text == expected)
    }
    #expect(throws: Stop.self) { _ = try splitter.next { () throws(Stop) in throw Stop() } }
  }
}
