/// Reads a document from its first byte to its last to see that it is JSON (RFC 8259, in UTF-8), and that
/// no object in it has two members of one name, of which a reader would take one silently.
///
/// Linear; nests `deepest` levels at most, and holds nothing but the names of the objects around a place.
struct JSONChecker {
  private let bytes: [UInt8]
  private let deepest: Int
  private var place: Int

  /// Throws `JSONProblem` unless the bytes are one JSON value.
  static func check(_ bytes: [UInt8], deepest: Int) throws(JSONProblem) -> JSONValue {
    do throws(UTF8.ValidationError) { _ = try UTF8Span(validating: bytes.span) } catch {
      throw JSONProblem(.syntax("it is not UTF-8"), at: error.byteOffsets.lowerBound, in: bytes)
    }
    var checker = JSONChecker(bytes, deepest)
    checker.skipSpace()
    guard checker.place < bytes.count else { throw checker.wrong(.empty) }
    let start = checker.place
    try checker.value(depth: 0)
    let end = checker.place
    checker.skipSpace()
    guard checker.place == bytes.count else { throw checker.broken("more behind the end") }
    return JSONValue(bytes, start..<end)
  }

  /// How many bytes of a byte order mark there are.
  static func mark(of bytes: [UInt8]) -> Int { bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0 }

  private init(_ bytes: [UInt8], _ deepest: Int) {
    (self.bytes, self.deepest) = (bytes, deepest)
    place = Self.mark(of: bytes)
  }

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

  private func wrong(_ fault: JSONProblem.Fault, at offset: Int? = nil) -> JSONProblem {
    JSONProblem(fault, at: offset ?? place, in: bytes)
  }

  private func broken(_ what: String) -> JSONProblem {
    wrong(.syntax(place < bytes.count ? what : "it ends too early"))
  }

  /// `depth`: lists and objects around it.
  private mutating func value(depth: Int) throws(JSONProblem) {
    switch here {
    case UInt8(ascii: "\""): try text()
    case UInt8(ascii: "{"): try object(depth + 1)
    case UInt8(ascii: "["): try list(depth + 1)
    case UInt8(ascii: "t"): try word("true")
    case UInt8(ascii: "f"): try word("false")
    case UInt8(ascii: "n"): try word("null")
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    default: throw broken("expected a value")
    }
  }

  private mutating func word(_ word: StaticString) throws(JSONProblem) {
    let start = place
    for letter in word.description.utf8 {
      guard here == letter else {
        if place < bytes.count { place = start }
        throw broken("expected a value")
      }
      place += 1
    }
  }

  private mutating func list(_ depth: Int) throws(JSONProblem) {
    guard depth <= deepest else { throw wrong(.tooDeep(deepest)) }
    place += 1
    skipSpace()
    if take("]") { return }
    repeat {
      skipSpace()
      try value(depth: depth)
      skipSpace()
    } while take(",")
    guard take("]") else { throw broken("expected ',' or ']'") }
  }

  private mutating func object(_ depth: Int) throws(JSONProblem) {
    guard depth <= deepest else { throw wrong(.tooDeep(deepest)) }
    place += 1
    skipSpace()
    if take("}") { return }
    var names = SeenNames()
    repeat {
      skipSpace()
      guard here == UInt8(ascii: "\"") else { throw broken("expected '\"'") }
      let start = place
      try text()
      let name = JSONValue(bytes, start..<place).text ?? ""
      guard names.insert(name) else { throw wrong(.twice([name]), at: start) }
      skipSpace()
      guard take(":") else { throw broken("expected ':'") }
      skipSpace()
      do throws(JSONProblem) { try value(depth: depth) } catch { throw error.inside(name) }
      skipSpace()
    } while take(",")
    guard take("}") else { throw broken("expected ',' or '}'") }
  }

  private mutating func number() throws(JSONProblem) {
    let start = place
    _ = take("-")
    let isZero = here == UInt8(ascii: "0")
    let whole = place
    try digits("expected a value")
    if isZero, place - whole > 1 {
      throw wrong(.syntax("a number must not begin with 0"), at: start)
    }
    if take(".") { try digits("expected a digit behind the point") }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      try digits("expected a digit in the exponent")
    }
  }

  private mutating func digits(_ what: String) throws(JSONProblem) {
    let start = place
    while UInt8(ascii: "0")...UInt8(ascii: "9") ~= here { place += 1 }
    if place == start { throw broken(what) }
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
      case 0..<0x20: throw broken("a control character must be escaped")
      default: place = JSONValue.plainEnd(bytes, from: place)
      }
    }
    throw wrong(.syntax("the string does not end"), at: start)
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
        throw wrong(.syntax("half a character (an unpaired surrogate)"), at: start)
      }
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"),
      UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
      place += 1
    default: throw broken("an escape that JSON does not know")
    }
  }

  private mutating func hexadecimal() throws(JSONProblem) -> Int {
    var unit = 0
    for _ in 0..<4 {
      guard let digit = JSONValue.hexadecimal(here) else {
        throw broken("expected four hexadecimal digits")
      }
      unit = unit << 4 | digit
      place += 1
    }
    return unit
  }
}
