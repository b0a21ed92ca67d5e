import TestSupport
import Testing

@testable import Model

@Suite struct WordSplitterTests {
  /// Splits at white space first, and around what stands alone, then takes the marks off both ends.
  private func naive(_ text: String, ideographs: Bool) -> [TextWord] {
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
    let alone: Set<Unicode.Scalar> = ideographs ? ["京", "東", "\u{20000}", "。", "，", "・"] : []
    for end in 0...scalars.count
    where end == scalars.count || scalars[end].properties.isWhitespace
      || alone.contains(scalars[end])
    {
      var (first, last) = (start, end)
      while first < last, isMark(scalars[first]) { first += 1 }
      while last > first, isMark(scalars[last - 1]) { last -= 1 }
      for mark in start..<first { add(mark..<mark + 1) }
      add(first..<last)
      for mark in last..<end { add(mark..<mark + 1) }
      if end < scalars.count, alone.contains(scalars[end]) { add(end..<end + 1) }
      start = end + 1
    }
    return words
  }

  @Test func fuzzedTextIsSplitAsAllAtOnce() {
    Fuzz.run { generator, seed in
      let parts = [
        "a", "Z", "\u{E9}", "e\u{301}", " ", "\n", "\u{85}", "\u{2003}", ".", "\u{2019}", "-",
        "\u{3002}", "\u{1F600}", "1", "\u{0}", "京", "東", "\u{20000}", "，", "・", "に", "한", "ー",
      ]
      let text = (0..<Int.random(in: 0...40, using: &generator))
        .map { _ in parts[Int.random(in: 0..<parts.count, using: &generator)] }.joined()
      for ideographs in [true, false] {
        #expect(
          WordSplitter.words(of: text, splitsIdeographs: ideographs)
            == naive(text, ideographs: ideographs), "seed \(seed): \(text.debugDescription)")
      }
    }
  }

  /// As BERT's tokeniser sets them apart (kana and hangul stay together), with the marks between.
  @Test(arguments: [
    ("我住在北京", ["我", "住", "在", "北", "京"]),
    ("北京，上海。", ["北", "京", "，", "上", "海", "。"]),
    ("東京に住む、大阪も", ["東", "京", "に", "住", "む", "、", "大", "阪", "も"]),
    ("トヨタ・ホンダ「新車」", ["トヨタ", "・", "ホンダ", "「", "新", "車", "」"]),
    ("iPhone手机(16GB)", ["iPhone", "手", "机", "(", "16GB", ")"]),
    ("그는 서울에 산다.", ["그는", "서울에", "산다", "."]),
    ("don't, 1996-08-22!", ["don't", ",", "1996-08-22", "!"]),
  ])
  func wordsOfRunningText(text: String, words: [String]) {
    let found = WordSplitter.words(of: text)
    #expect(found.map(\.text) == words)
    let scalars = Array(text.unicodeScalars)
    for word in found {
      #expect(
        Array(word.text.unicodeScalars)
          == Array(scalars[Int(word.span.start)..<Int(word.span.end)]))
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
