/// A JSON number as a whole one, told digit by digit from how it is written: none is lost to floating point.
package enum WholeNumber: Equatable, Sendable {
  /// "0", "-7", "30" of 3e1: as it would be written plainly.
  case digits(String)
  /// It is not whole.
  case fraction
  /// It has more digits than `mostDigits`.
  case tooLong

  package static let mostDigits = 38

  /// `text` is a number as JSON has them.
  package init(_ text: String) {
    let parts = text.utf8.split(maxSplits: 1) { $0 | 0x20 == UInt8(ascii: "e") }
    let exponent = parts.count > 1 ? Self.exponent(String(decoding: parts[1], as: UTF8.self)) : 0
    let mantissa = (parts.first ?? text.utf8[...]).drop { $0 == UInt8(ascii: "-") }
    let point = mantissa.firstIndex(of: UInt8(ascii: ".")) ?? mantissa.endIndex
    var places = mantissa.distance(from: mantissa.startIndex, to: point) + exponent
    var digits = mantissa.filter { $0 != UInt8(ascii: ".") }[...]
    // Zeros before the first digit that counts, and behind the last.
    let zeros = digits.prefix { $0 == UInt8(ascii: "0") }.count
    digits = digits.dropFirst(zeros)
    places -= zeros
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    if digits.isEmpty {
      self = .digits("0")
    } else if places < digits.count {
      self = .fraction
    } else if places > Self.mostDigits {
      self = .tooLong
    } else {
      self = .digits(
        (text.hasPrefix("-") ? "-" : "") + String(decoding: digits, as: UTF8.self)
          + String(repeating: "0", count: places - digits.count))
    }
  }

  /// Of one beyond all bounds, one that is large enough.
  private static func exponent(_ text: String) -> Int {
    let far = 1 << 40
    return max(-far, min(far, Int(text) ?? (text.hasPrefix("-") ? -far : far)))
  }
}
