import Model
import TestSupport

/// Made-up entities and their tags, written by other rules than those that read them.
enum TaggedText {
  static let types = ["PER", "LOC", "A-B", "B", "S_E", "\u{E9}"]

  /// Rows of one scheme: together they hold at least one entity of one word, one of several, two
  /// neighbours of one type (where the scheme can say so), and an O (where it has one).
  static func file(
    of scheme: TagScheme, rows: Int, types: [String] = types,
    using random: inout SeededGenerator
  ) -> [(spans: [TaggedSpan], tags: [String])] {
    (0..<rows).map { row in
      let types = scheme.form.place == .alone ? [TagForm.untyped] : types
      var spans: [TaggedSpan] = []
      var word = 0
      func add(_ length: Int, _ type: String) {
        if scheme.kind == .plain, spans.last?.words.upperBound == word, spans.last?.type == type {
          word += 1
        }
        let length = scheme.kind == .units ? 1 : length
        spans.append(TaggedSpan(type: type, words: word..<word + length))
        word += length
      }
      if row == 0 {
        for length in [1, 2, 3, 1, 4] { add(length, types[0]) }
        if scheme.kind != .units { word += 1 }
        add(2, types[0])
      }
      for _ in 0..<Int.random(in: 1...5, using: &random) {
        if scheme.kind != .units, Bool.random(using: &random) { word += 1 }
        add(.random(in: 1...4, using: &random), types.randomElement(using: &random) ?? types[0])
      }
      return (spans, tags(of: spans, count: word, scheme))
    }
  }

  static func tags(of spans: [TaggedSpan], count: Int, _ scheme: TagScheme) -> [String] {
    var tags = [String](repeating: "O", count: count)
    var before: TaggedSpan?
    for span in spans {
      let (first, last) = (span.words.lowerBound, span.words.upperBound - 1)
      let touches = before.map { $0.words.upperBound == first && $0.type == span.type } ?? false
      for word in span.words {
        let letter = letter(
          scheme.kind, isFirst: word == first, isLast: word == last, touches: touches)
        tags[word] = letter.map { scheme.form.tag($0, span.type) } ?? span.type
      }
      before = span
    }
    return tags
  }

  private static func letter(
    _ kind: TagScheme.Kind, isFirst: Bool, isLast: Bool, touches: Bool
  ) -> UInt8? {
    let marks: String
    switch kind {
    case .plain, .units: return nil
    case .bio: return UInt8(ascii: isFirst ? "B" : "I")
    case .iob1: return UInt8(ascii: isFirst && touches ? "B" : "I")
    case .ioe: return UInt8(ascii: isLast ? "E" : "I")
    case .bios: marks = "BIIS"
    case .bioes: marks = "BIES"
    case .bilou: marks = "BILU"
    case .bmes: marks = "BMES"
    case .bmew: marks = "BMEW"
    }
    return Array(marks.utf8)[isFirst ? (isLast ? 3 : 0) : (isLast ? 2 : 1)]
  }
}
