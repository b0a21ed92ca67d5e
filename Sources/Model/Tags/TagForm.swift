/// Where a tag carries its mark: `B-PER`, `B_PER`, `PER-B`, `PER_B`, the same with small marks, or the
/// mark alone.
package struct TagForm: Sendable, Hashable {
  package enum Place: Sendable, Hashable, CaseIterable { case prefix, suffix, alone }

  package var place: Place
  /// ASCII; of no meaning where the mark is alone.
  package var separator: UInt8
  package var isLowercase: Bool

  package init(_ place: Place, separator: UInt8 = UInt8(ascii: "-"), isLowercase: Bool = false) {
    self.place = place
    self.separator = place == .alone ? UInt8(ascii: "-") : separator
    self.isLowercase = isLowercase
  }

  /// The usual one first: of forms that read a file equally well the earlier is taken.
  package static let all: [TagForm] = [false, true].flatMap { isLowercase in
    Place.allCases.flatMap { place -> [TagForm] in
      let separators = place == .alone ? "-" : "-_"
      return separators.utf8.map { TagForm(place, separator: $0, isLowercase: isLowercase) }
    }
  }

  /// The marks of all schemes.
  static let marks = Set("BIESLUMW".utf8)

  /// A tag's mark, as a capital letter, and its type; nil where it has none in this form.
  package func split(_ tag: String) -> (letter: UInt8, type: String)? {
    let bytes = tag.utf8
    guard let first = bytes.first, let last = bytes.last else { return nil }
    let letter: UInt8
    let type: String
    switch place {
    case .alone:
      guard bytes.count == 1 else { return nil }
      (letter, type) = (first, Self.untyped)
    case .prefix:
      guard bytes.count > 2, bytes.dropFirst().first == separator else { return nil }
      (letter, type) = (first, String(Substring(bytes.dropFirst(2))))
    case .suffix:
      guard bytes.count > 2, bytes.dropLast().last == separator else { return nil }
      (letter, type) = (last, String(Substring(bytes.dropLast(2))))
    }
    let letters = isLowercase ? UInt8(ascii: "a")...UInt8(ascii: "z") : 65...90
    return letters.contains(letter) ? (isLowercase ? letter - 32 : letter, type) : nil
  }

  /// The type of entities whose tags are marks alone.
  package static let untyped: String = "_"

  /// A tag of this mark (a capital letter) and type.
  package func tag(_ letter: UInt8, _ type: String) -> String {
    let mark = String(Unicode.Scalar(isLowercase ? letter + 32 : letter))
    let separator = String(Unicode.Scalar(separator))
    switch place {
    case .prefix: return mark + separator + type
    case .suffix: return type + separator + mark
    case .alone: return mark
    }
  }

  /// How the mark X and TYPE stand: `X-TYPE`, `TYPE_x`, `X`.
  package var text: String { tag(UInt8(ascii: "X"), "TYPE") }
}
