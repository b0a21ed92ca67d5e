/// Code points of a String's UTF-8, which is always valid.
extension Span<UInt8> {
  /// The code point beyond ASCII that begins at `place`.
  @inline(__always)
  func scalar(at place: Int) -> (UInt32, length: Int) {
    func bits(_ offset: Int) -> UInt32 { UInt32(self[place + offset] & 0x3F) }
    let lead = UInt32(self[place])
    switch lead {
    case ..<0xE0: return ((lead & 0x1F) << 6 | bits(1), 2)
    case ..<0xF0: return ((lead & 0x0F) << 12 | bits(1) << 6 | bits(2), 3)
    default: return ((lead & 0x07) << 18 | bits(1) << 12 | bits(2) << 6 | bits(3), 4)
    }
  }

  /// Any code point that begins at `place`; nil at the end.
  private func any(at place: Int) -> (scalar: Unicode.Scalar, length: Int)? {
    guard place < count else { return nil }
    let (value, length) = self[place] < 0x80 ? (UInt32(self[place]), 1) : scalar(at: place)
    return Unicode.Scalar(value).map { ($0, length) }
  }

  /// The one that ends before `place`; nil at the start.
  private func any(before place: Int) -> (scalar: Unicode.Scalar, length: Int)? {
    guard place > 0 else { return nil }
    var start = place - 1
    while start > 0, self[start] & 0xC0 == 0x80 { start -= 1 }
    return any(at: start)
  }

  /// Whether what lies around these bytes goes on with a word.
  func touchesWord(_ range: Range<Int>) -> Bool {
    any(before: range.lowerBound)?.scalar.isWordPart == true
      || any(at: range.upperBound)?.scalar.isWordPart == true
  }

  /// Code points of white space right before `place`, none of them before `least`.
  func space(before place: Int, from least: Int) -> Int32 {
    var (place, count): (Int, Int32) = (place, 0)
    while place > least, let last = any(before: place), last.scalar.properties.isWhitespace {
      place -= last.length
      count += 1
    }
    return count
  }

  /// The same from `place` on, and where they end.
  func space(behind place: Int) -> (count: Int32, end: Int) {
    var (place, count): (Int, Int32) = (place, 0)
    while let next = any(at: place), next.scalar.properties.isWhitespace {
      place += next.length
      count += 1
    }
    return (count, place)
  }
}
