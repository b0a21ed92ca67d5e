/// Reads strict JSON pieces from bytes, one after the other, for formats whose schema is fixed: the
/// caller says what comes next, so nesting is bounded by the schema and nothing recurses. Linear
/// time; every failure is a `SafetensorsProblem.syntax` with its byte.
struct JSONScanner {
  private let bytes: [UInt8]
  private(set) var position = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  func failure(_ what: String, at offset: Int? = nil) -> SafetensorsProblem {
    .syntax(offset: offset ?? position, what: what)
  }

  /// The next byte after white space, nil at the end.
  mutating func peek() -> UInt8? {
    while position < bytes.count {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      default: return bytes[position]
      }
    }
    return nil
  }

  mutating func expect(_ character: Unicode.Scalar) throws(SafetensorsProblem) {
    guard let next = peek(), next == UInt8(ascii: character) else {
      throw failure("expected '\(character)'")
    }
    position += 1
  }

  /// Takes the character if it is next.
  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard let next = peek(), next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  /// After an element of a list: true if another follows, false if `close` ended the list.
  mutating func another(before close: Unicode.Scalar) throws(SafetensorsProblem) -> Bool {
    if take(",") { return true }
    guard take(close) else { throw failure("expected ',' or '\(close)'") }
    return false
  }

  /// A whole number from 0 to Int.max.
  mutating func unsigned() throws(SafetensorsProblem) -> Int {
    guard let first = peek(), isDigit(first) else {
      throw failure("expected a whole number, 0 or more")
    }
    let start = position
    var value = 0
    while position < bytes.count, isDigit(bytes[position]) {
      let (tens, over) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = tens.addingReportingOverflow(Int(bytes[position] - UInt8(ascii: "0")))
      guard !over, !carry else { throw failure("the number is too large", at: start) }
      value = sum
      position += 1
    }
    if first == UInt8(ascii: "0"), position - start > 1 {
      throw failure("a number must not begin with 0", at: start)
    }
    if position < bytes.count, isNumberPart(bytes[position]) {
      throw failure("expected a whole number", at: start)
    }
    return value
  }

  /// The UTF-8 of a string, escapes resolved; unpaired surrogates and invalid UTF-8 are refused.
  mutating func string() throws(SafetensorsProblem) -> String {
    try expect("\"")
    let start = position
    // Bytes are copied a run at a time: up to an escape or the end.
    var text: [UInt8] = []
    var run = position
    while position < bytes.count {
      let byte = bytes[position]
      if byte == UInt8(ascii: "\"") {
        text.append(contentsOf: bytes[run..<position])
        position += 1
        guard let string = String(validating: text, as: UTF8.self) else {
          throw failure("the string is not valid UTF-8", at: start)
        }
        return string
      } else if byte == UInt8(ascii: "\\") {
        text.append(contentsOf: bytes[run..<position])
        position += 1
        text.append(contentsOf: UTF8.encode(try escape()) ?? UTF8.encodedReplacementCharacter)
        run = position
      } else if byte < 0x20 {
        throw failure("a control character must be escaped")
      } else {
        position += 1
      }
    }
    throw failure("the string does not end", at: start)
  }

  private mutating func escape() throws(SafetensorsProblem) -> Unicode.Scalar {
    let start = position - 1
    guard position < bytes.count else { throw failure("the string does not end", at: start) }
    let letter = bytes[position]
    position += 1
    switch letter {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(letter)
    case UInt8(ascii: "b"): return "\u{8}"
    case UInt8(ascii: "f"): return "\u{C}"
    case UInt8(ascii: "n"): return "\n"
    case UInt8(ascii: "r"): return "\r"
    case UInt8(ascii: "t"): return "\t"
    case UInt8(ascii: "u"): break
    default: throw failure("unknown escape", at: start)
    }
    let high = try hexadecimal(escapeAt: start)
    if let scalar = Unicode.Scalar(high) { return scalar }
    guard high < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
      bytes[position + 1] == UInt8(ascii: "u")
    else { throw failure("unpaired surrogate", at: start) }
    position += 2
    let low = try hexadecimal(escapeAt: start)
    guard (0xDC00...0xDFFF).contains(low),
      let scalar = Unicode.Scalar(0x10000 + (high - 0xD800) << 10 + (low - 0xDC00))
    else { throw failure("unpaired surrogate", at: start) }
    return scalar
  }

  private mutating func hexadecimal(escapeAt start: Int) throws(SafetensorsProblem) -> UInt32 {
    guard bytes.count - position >= 4 else { throw failure("the string does not end", at: start) }
    var value: UInt32 = 0
    for _ in 0..<4 {
      let byte = bytes[position]
      let nibble: UInt8
      if isDigit(byte) {
        nibble = byte - UInt8(ascii: "0")
      } else if UInt8(ascii: "a")...UInt8(ascii: "f") ~= byte | 0x20 {
        nibble = (byte | 0x20) - UInt8(ascii: "a") + 10
      } else {
        throw failure("expected four hexadecimal digits", at: start)
      }
      value = value << 4 + UInt32(nibble)
      position += 1
    }
    return value
  }

  private func isNumberPart(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ".") || byte == UInt8(ascii: "e") || byte == UInt8(ascii: "E")
  }

  private func isDigit(_ byte: UInt8) -> Bool {
    byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
  }
}
