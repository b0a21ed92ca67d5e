extension JSONValue {
  /// Whether it is this text, byte by byte: canonical equivalents are other texts.
  func isText(_ other: String) -> Bool {
    guard kind == .text else { return false }
    let inside = bytes[range.lowerBound + 1..<range.upperBound - 1]
    return inside.contains(UInt8(ascii: "\\"))
      ? Self.unescaped(inside).elementsEqual(other.utf8) : inside.elementsEqual(other.utf8)
  }

  static func isSpace(_ byte: UInt8) -> Bool {
    byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09
  }

  /// The first byte from here on that ends a text or is not itself in it: a quote, a backslash, or a
  /// control character.
  static func plainEnd(_ bytes: [UInt8], from start: Int) -> Int {
    let span = bytes.span
    var place = start
    while place < span.count {
      let byte = span[place]
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") || byte < 0x20 { break }
      place += 1
    }
    return place
  }

  static func hexadecimal(_ byte: UInt8) -> Int? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): Int(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): Int(byte - UInt8(ascii: "a")) + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): Int(byte - UInt8(ascii: "A")) + 10
    default: nil
    }
  }

  /// The UTF-8 of a text whose escapes are known to be whole.
  static func unescaped(_ text: ArraySlice<UInt8>) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var place = text.startIndex
    func unit(_ start: Int) -> UInt32 {
      text[start..<start + 4].reduce(0) { $0 << 4 | UInt32(hexadecimal($1) ?? 0) }
    }
    while place < text.endIndex {
      guard text[place] == UInt8(ascii: "\\") else {
        out.append(text[place])
        place += 1
        continue
      }
      let escape = text[place + 1]
      place += 2
      switch escape {
      case UInt8(ascii: "b"): out.append(0x08)
      case UInt8(ascii: "f"): out.append(0x0C)
      case UInt8(ascii: "n"): out.append(0x0A)
      case UInt8(ascii: "r"): out.append(0x0D)
      case UInt8(ascii: "t"): out.append(0x09)
      case UInt8(ascii: "u"):
        var scalar = unit(place)
        place += 4
        if 0xD800...0xDBFF ~= scalar {
          scalar = 0x10000 + (scalar - 0xD800) << 10 + (unit(place + 2) - 0xDC00)
          place += 6
        }
        if let scalar = Unicode.Scalar(scalar) { out += UTF8.encode(scalar) ?? .init() }
      default: out.append(escape)
      }
    }
    return out
  }
}
