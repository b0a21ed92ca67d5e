/// A value inside a JSON document that `JSONChecker` has seen whole: read when it is asked for, as what it
/// is asked for, so that nothing is made of what nobody wants. Members keep their order, numbers their
/// digits. A file of one fixed shape is read with `decodeJSON`.
package struct JSONValue: Sendable {
  package enum Kind: Sendable { case text, number, flag, null, list, object }

  package struct Member: Sendable {
    package let name: String
    package let value: JSONValue
  }

  /// Lists and objects within each other, of a file.
  package static let deepest = 64

  let bytes: [UInt8]
  let range: Range<Int>

  init(_ bytes: [UInt8], _ range: Range<Int>) { (self.bytes, self.range) = (bytes, range) }

  /// Reads a whole document. Strict: no comments, no comma too many, no NaN, and no member twice in
  /// one object. A byte order mark, which editors of some systems put there, is passed over. Linear.
  /// Throws `JSONProblem`.
  package init(_ bytes: [UInt8], deepest: Int = deepest) throws(JSONProblem) {
    self = try JSONChecker.check(bytes, deepest: deepest)
  }

  package var kind: Kind {
    switch bytes[range.lowerBound] {
    case UInt8(ascii: "\""): .text
    case UInt8(ascii: "{"): .object
    case UInt8(ascii: "["): .list
    case UInt8(ascii: "t"), UInt8(ascii: "f"): .flag
    case UInt8(ascii: "n"): .null
    default: .number
    }
  }

  /// nil unless it is true or false.
  package var flag: Bool? { kind == .flag ? bytes[range.lowerBound] == UInt8(ascii: "t") : nil }

  /// A number as it is written; nil unless it is one.
  package var number: String? {
    kind == .number ? String(decoding: bytes[range], as: UTF8.self) : nil
  }

  /// nil unless it is a number without a fraction that fits: `3`, `3.0`, `3e2`.
  package var whole: Int? {
    guard let number else { return nil }
    if let plain = Int(number) { return plain }
    if case .digits(let digits) = WholeNumber(number) { return Int(digits) }
    return nil
  }

  /// nil for what is no number, and for one beyond every finite one.
  package var double: Double? {
    guard let number, let value = Double(number), value.isFinite else { return nil }
    return value
  }

  /// nil unless it is text.
  package var text: String? {
    guard kind == .text else { return nil }
    let inside = bytes[range.lowerBound + 1..<range.upperBound - 1]
    if Self.plainEnd(bytes, from: inside.startIndex) == inside.endIndex {
      return String(decoding: inside, as: UTF8.self)
    }
    return String(decoding: Self.unescaped(inside), as: UTF8.self)
  }

  /// nil unless it is a list.
  package var list: [JSONValue]? { list { $0 } }

  /// nil unless it is a list of nothing but text; stops at the first that is something else.
  package var texts: [String]? { list { $0.text } }

  /// nil unless it is a list of nothing but lists of nothing but text.
  package var textLists: [[String]]? { list { $0.texts } }

  private func list<Element>(_ read: (JSONValue) -> Element?) -> [Element]? {
    guard kind == .list else { return nil }
    var elements: [Element] = []
    var place = range.lowerBound + 1
    while let next = value(from: place) {
      guard let element = read(next) else { return nil }
      elements.append(element)
      place = next.range.upperBound
    }
    return elements
  }

  /// The first of a list that `isWanted`, and its place from 0; nil where there is none. Holds no list.
  package func first(
    where isWanted: (JSONValue) -> Bool
  ) -> (place: Int, value: JSONValue)? {
    guard kind == .list else { return nil }
    var (count, place) = (0, range.lowerBound + 1)
    while let next = value(from: place) {
      if isWanted(next) { return (count, next) }
      (count, place) = (count + 1, next.range.upperBound)
    }
    return nil
  }

  /// In their order; nil unless it is an object.
  package var members: [Member]? {
    guard kind == .object else { return nil }
    var members: [Member] = []
    var place = range.lowerBound + 1
    while let name = value(from: place), let value = value(from: name.range.upperBound) {
      members.append(Member(name: name.text ?? "", value: value))
      place = value.range.upperBound
    }
    return members
  }

  /// The member of an object, by the bytes of its name; nil where there is none, or it is null, which
  /// says the same. Linear in what stands before it.
  package subscript(_ name: String) -> JSONValue? {
    guard kind == .object else { return nil }
    var place = range.lowerBound + 1
    while let found = value(from: place), let value = value(from: found.range.upperBound) {
      if found.isText(name) { return value.kind == .null ? nil : value }
      place = value.range.upperBound
    }
    return nil
  }

  /// Whether it is a list or an object with nothing in it.
  package var isEmpty: Bool {
    (kind == .list || kind == .object) && value(from: range.lowerBound + 1) == nil
  }
}
