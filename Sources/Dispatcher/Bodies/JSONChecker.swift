/// Reads a text from its first byte to its last to see that it is JSON (RFC 8259, in UTF-8), and that no
/// object in it has two members of one name, of which a reader would take one silently.
///
/// Linear; nests `deepest` levels at most, and holds nothing but the names of the objects around a place.
struct JSONChecker {
  static let deepest = 128

  private let bytes: [UInt8]
  private var place = 0

  /// Throws `JSONProblem` unless the bytes are one JSON value.
  static func check(_ bytes: [UInt8]) throws(JSONProblem) -> JSONValue {
    do throws(UTF8.ValidationError) { _ = try UTF8Span(validating: bytes.span) } catch {
      throw .broken("it is not UTF-8", at: error.byteOffsets.lowerBound)
    }
    var checker = JSONChecker(bytes)
    // Some writers mark UTF-8 so.
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { checker.place = 3 }
    checker.skipSpace()
    guard checker.place < bytes.count else { throw .broken("it is empty", at: checker.place) }
    let start = checker.place
    try checker.value(depth: 0)
    let end = checker.place
    checker.skipSpace()
    guard checker.place == bytes.count else {
      throw .broken("there is more behind its end", at: checker.place)
    }
    return JSONValue(bytes, start..<end)
  }

  private init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// The byte here; 0, which JSON has nowhere, at the end.
  private var here: UInt8 { place < bytes.count ? bytes[place] : 0 }

  private mutating func skipSpace() {
    while place < bytes.count, JSONValue.isSpace(bytes[place]) { place += 1 }
  }

  private mutating func take(_ byte: Unicode.Scalar) -> Bool {
    guard here == UInt8(ascii: byte) else { return false }
    place += 1
    return true
  }

  private func broken(_ what: String) -> JSONProblem {
    place < bytes.count ? .broken(what, at: place) : .broken("it ends too early", at: place)
  }

  private mutating func value(depth: Int) throws(JSONProblem) {
    guard depth < Self.deepest else {
      throw .broken("it nests more than \(Self.deepest) levels deep", at: place)
    }
    switch here {
    case UInt8(ascii: "\""): try text()
    case UInt8(ascii: "{"): try object(depth)
    case UInt8(ascii: "["): try list(depth)
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    default: throw broken("a value was expected")
    }
  }

  private mutating func word(_ word: StaticString) throws(JSONProblem) {
    let start = place
    for letter in word.description.utf8 {
      guard here == letter else {
        place = start
        throw broken("\(word) was expected")
      }
      place += 1
    }
  }

  private mutating func list(_ depth: Int) throws(JSONProblem) {
    place += 1
    skipSpace()
    if take("]") { return }
    repeat {
      skipSpace()
      try value(depth: depth + 1)
      skipSpace()
    } while take(",")
    guard take("]") else { throw broken("a comma or ] was expected") }
  }

  private mutating func object(_ depth: Int) throws(JSONProblem) {
    place += 1
    skipSpace()
    if take("}") { return }
    var names = SeenNames()
    repeat {
      skipSpace()
      guard here == UInt8(ascii: "\"") else { throw broken("a member's name was expected") }
      let start = place
      try text()
      let name = JSONValue(bytes, start..<place).text ?? ""
      guard names.insert(name) else { throw .twice(name) }
      skipSpace()
      guard take(":") else { throw broken("a colon was expected") }
      skipSpace()
      do throws(JSONProblem) { try value(depth: depth + 1) } catch {
        guard case .twice(let path) = error else { throw error }
        throw .twice("\(name).\(path)")
      }
      skipSpace()
    } while take(",")
    guard take("}") else { throw broken("a comma or } was expected") }
  }

  private mutating func number() throws(JSONProblem) {
    _ = take("-")
    if !take("0") { try digits() }
    if take(".") { try digits() }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits()
    }
  }

  private mutating func digits() throws(JSONProblem) {
    let start = place
    while UInt8(ascii: "0")...UInt8(ascii: "9") ~= here { place += 1 }
    if place == start { throw broken("a digit was expected") }
  }
}

extension JSONChecker {
  private mutating func text() throws(JSONProblem) {
    let start = place
    place = JSONValue.plainEnd(bytes, from: place + 1)
    while place < bytes.count {
      switch bytes[place] {
      case UInt8(ascii: "\""):
        place += 1
        return
      case UInt8(ascii: "\\"): try escape()
      case 0..<0x20: throw broken("a text has a control character that is not escaped")
      default: place = JSONValue.plainEnd(bytes, from: place)
      }
    }
    throw .broken("a text is not ended", at: start)
  }

  private mutating func escape() throws(JSONProblem) {
    let start = place
    place += 1
    switch here {
    case UInt8(ascii: "u"):
      place += 1
      let unit = try hexadecimal()
      guard 0xD800...0xDFFF ~= unit else { return }
      // The other half of a code point beyond 16 bits must follow.
      guard unit < 0xDC00, take("\\"), take("u"), 0xDC00...0xDFFF ~= (try hexadecimal()) else {
        throw .broken("a text has half a character", at: start)
      }
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      place += 1
    default: throw broken("a text has an escape that JSON does not know")
    }
  }

  private mutating func hexadecimal() throws(JSONProblem) -> Int {
    var unit = 0
    for _ in 0..<4 {
      guard let digit = JSONValue.hexadecimal(here) else {
        throw broken("four hexadecimal digits were expected")
      }
      unit = unit << 4 | digit
      place += 1
    }
    return unit
  }
}
