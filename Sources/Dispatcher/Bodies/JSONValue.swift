/// A value inside a JSON text that `JSONChecker` has seen whole: read when it is asked for, as what it is
/// asked for, so that nothing is made of what nobody wants.
struct JSONValue: Sendable {
  enum Kind: Sendable { case text, number, flag, null, list, object }

  private let bytes: [UInt8]
  private let range: Range<Int>

  init(_ bytes: [UInt8], _ range: Range<Int>) { (self.bytes, self.range) = (bytes, range) }

  var kind: Kind {
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
  var flag: Bool? { kind == .flag ? bytes[range.lowerBound] == UInt8(ascii: "t") : nil }

  /// nil unless it is a number without a fraction that fits: `3`, `3.0`, `3e2`.
  var wholeNumber: Int? {
    guard kind == .number else { return nil }
    let digits = String(decoding: bytes[range], as: UTF8.self)
    return Int(digits) ?? Double(digits).flatMap { Int(exactly: $0) }
  }

  /// nil unless it is text.
  var text: String? {
    guard kind == .text else { return nil }
    let inside = bytes[range.lowerBound + 1..<range.upperBound - 1]
    if Self.plainEnd(bytes, from: inside.startIndex) == inside.endIndex {
      return String(decoding: inside, as: UTF8.self)
    }
    return String(decoding: Self.unescaped(inside), as: UTF8.self)
  }

  /// nil unless it is a list of nothing but text.
  var texts: [String]? { list { $0.text } }

  /// nil unless it is a list and `read` takes all that is in it; stops at the first that it does not.
  func list<Element>(_ read: (JSONValue) -> Element?) -> [Element]? {
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

  /// nil unless it is an object.
  var members: [(name: String, value: JSONValue)]? {
    guard kind == .object else { return nil }
    var members: [(name: String, value: JSONValue)] = []
    var place = range.lowerBound + 1
    while let name = value(from: place), let value = value(from: name.range.upperBound) {
      members.append((name.text ?? "", value))
      place = value.range.upperBound
    }
    return members
  }

  /// The value that begins behind `place`, past spaces, commas and colons; nil where the list or object
  /// ends.
  private func value(from place: Int) -> JSONValue? {
    var start = place
    while Self.isSpace(bytes[start]) || bytes[start] == UInt8(ascii: ",")
      || bytes[start] == UInt8(ascii: ":")
    { start += 1 }
    let ends = bytes[start] == UInt8(ascii: "]") || bytes[start] == UInt8(ascii: "}")
    return ends ? nil : JSONValue(bytes, start..<end(of: start))
  }

  /// Where the value that begins at `start` ends.
  private func end(of start: Int) -> Int {
    var place = start
    var depth = 0
    repeat {
      switch bytes[place] {
      case UInt8(ascii: "\""): place = endOfText(place)
      case UInt8(ascii: "["), UInt8(ascii: "{"):
        depth += 1
        place += 1
      case UInt8(ascii: "]"), UInt8(ascii: "}"):
        depth -= 1
        place += 1
      case UInt8(ascii: ","), UInt8(ascii: ":"): place += 1
      case let byte where Self.isSpace(byte): place += 1
      default: place = endOfWord(place)
      }
    } while depth > 0
    return place
  }

  private func endOfText(_ start: Int) -> Int {
    var place = Self.plainEnd(bytes, from: start + 1)
    while bytes[place] != UInt8(ascii: "\"") {
      place = Self.plainEnd(bytes, from: place + 2)
    }
    return place + 1
  }

  /// Of a number, true, false or null.
  private func endOfWord(_ start: Int) -> Int {
    var place = start
    while place < bytes.count {
      switch bytes[place] {
      case UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ","): return place
      case let byte where Self.isSpace(byte): return place
      default: place += 1
      }
    }
    return place
  }
}
