/// Where values lie. All of these ask of the bytes that they are JSON, and may read beyond an end otherwise.
extension JSONValue {
  /// The value that begins behind `place`, past spaces, commas and colons; nil where the list or object
  /// ends.
  func value(from place: Int) -> JSONValue? {
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

  /// Where in the bytes the numbers lie, at most so many, that not every whole-number type holds: those
  /// that are negative, broken or longer than nine digits.
  func oddNumbers(atMost most: Int) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var place = range.lowerBound
    while place < range.upperBound, ranges.count < most {
      switch bytes[place] {
      case UInt8(ascii: "\""): place = endOfText(place)
      case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"):
        let end = endOfWord(place)
        let isDigits = bytes[place..<end].allSatisfy {
          $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9")
        }
        if !isDigits || end - place > 9 { ranges.append(place..<end) }
        place = end
      default: place += 1
      }
    }
    return ranges
  }
}
