/// How a tag can be taken for a mark and a type; also in forms that no scheme is read in, since a file of
/// these is refused rather than taken for plain types: `B:PER`, `B PER`, `B–PER`, `Begin-PER`, `B-`.
struct MarkLook {
  struct Group: Hashable {
    let place: TagForm.Place
    /// No letter and no digit.
    let separator: Unicode.Scalar
    let spelling: Spelling
    /// May be empty.
    let type: String
  }

  enum Spelling: Hashable { case capital, small, word }

  let group: Group
  /// A capital letter, one of `TagForm.marks`.
  let letter: UInt8

  /// With the mark in front and with the mark behind. O(length).
  static func all(of tag: String) -> [MarkLook] {
    let scalars = Array(tag.unicodeScalars)
    return [
      look(scalars, .prefix) { String(String.UnicodeScalarView($0)) },
      look(scalars.reversed(), .suffix) { String(String.UnicodeScalarView($0.reversed())) },
    ].compactMap(\.self)
  }

  private static func look(
    _ scalars: [Unicode.Scalar], _ place: TagForm.Place,
    text: (ArraySlice<Unicode.Scalar>) -> String
  ) -> MarkLook? {
    let mark = scalars.prefix(longestWord + 1).prefix { $0.isASCII && $0.properties.isAlphabetic }
    guard mark.count < scalars.count, let (letter, spelling) = letter(text(mark)) else {
      return nil
    }
    let separator = scalars[mark.count]
    guard !separator.properties.isAlphabetic, separator.properties.numericType == nil else {
      return nil
    }
    let type = text(scalars.dropFirst(mark.count + 1))
    return MarkLook(
      group: Group(place: place, separator: separator, spelling: spelling, type: type),
      letter: letter)
  }

  private static func letter(_ mark: String) -> (UInt8, Spelling)? {
    guard mark.utf8.count == 1, let byte = mark.utf8.first else {
      return words[mark.lowercased()].map { ($0, .word) }
    }
    let isSmall = byte >= UInt8(ascii: "a")
    let letter = isSmall ? byte - 32 : byte
    return TagForm.marks.contains(letter) ? (letter, isSmall ? .small : .capital) : nil
  }

  private static let words: [String: UInt8] = [
    "begin": "B", "beginning": "B", "inside": "I", "inner": "I", "intermediate": "I", "middle": "M",
    "end": "E", "ending": "E", "last": "L", "single": "S", "singleton": "S", "unit": "U",
    "whole": "W",
  ].mapValues { (letter: Unicode.Scalar) in UInt8(ascii: letter) }

  private static let longestWord = words.keys.map(\.utf8.count).max() ?? 1
}

extension MarkLook {
  /// Whether the tag is no plain type whatever stands beside it.
  func standsAlone(hasOutside: Bool) -> Bool {
    guard group.place == .prefix, group.spelling == .capital else { return false }
    return switch group.separator {
    case "-": (hasOutside ? "BISU" : "BI").utf8.contains(letter)
    case "_": hasOutside && "BI".utf8.contains(letter)
    default: false
    }
  }

  /// Whether the type alone, as another tag, says that this letter is a mark.
  func isHeldByType(hasOutside: Bool) -> Bool {
    guard group.spelling != .word, "-_:/.|+=#~".unicodeScalars.contains(group.separator) else {
      return false
    }
    return group.place == .prefix && hasOutside || "BI".utf8.contains(letter)
  }

  /// Whether this tag and the next are two marks of one entity. Of words only those for what is inside say
  /// so: `Begin-DATE` and `End-DATE` may be types.
  func goesOn(_ next: MarkLook) -> Bool {
    let isWord = group.spelling == .word
    return (isWord ? "B" : "BIM").utf8.contains(letter) && group == next.group
      && (isWord ? "IM" : "IMEL").utf8.contains(next.letter)
  }
}
