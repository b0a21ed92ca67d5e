/// The order of labels that nobody declared: numeric where all of them are numbers, else by code point.
package enum LabelOrder {
  /// Different labels; those of equal value ("1", "01") by code point.
  package static func sorted(_ labels: [String]) -> [String] {
    // The order of UTF-8's bytes is that of code points.
    func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }
    let numbers = labels.map(Number.init)
    guard !numbers.contains(nil) else { return labels.sorted(by: precedes) }
    return zip(labels, numbers.compactMap(\.self)).sorted {
      $0.1 == $1.1 ? precedes($0.0, $1.0) : $0.1 < $1.1
    }.map(\.0)
  }

  /// A decimal number of any length: -12, 007, 3.50.
  private struct Number: Comparable {
    let isNegative: Bool
    /// Without zeros that say nothing.
    let whole, fraction: [UInt8]

    init?(_ text: String) {
      var bytes = Array(text.utf8)[...]
      var isNegative = false
      if bytes.first == UInt8(ascii: "-") {
        isNegative = true
        bytes.removeFirst()
      }
      let parts = bytes.split(
        separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
      let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
      guard parts.allSatisfy({ !$0.isEmpty && $0.allSatisfy(digits.contains) }) else { return nil }
      whole = Array(parts[0].drop { $0 == UInt8(ascii: "0") })
      var fraction = parts.count > 1 ? Array(parts[1]) : []
      while fraction.last == UInt8(ascii: "0") { fraction.removeLast() }
      self.fraction = fraction
      self.isNegative = isNegative && !(whole.isEmpty && fraction.isEmpty)
    }

    private func isSmaller(than other: Number) -> Bool {
      if whole.count != other.whole.count { return whole.count < other.whole.count }
      if whole != other.whole { return whole.lexicographicallyPrecedes(other.whole) }
      return fraction.lexicographicallyPrecedes(other.fraction)
    }

    static func < (a: Number, b: Number) -> Bool {
      if a.isNegative != b.isNegative { return a.isNegative }
      return a.isNegative ? b.isSmaller(than: a) : a.isSmaller(than: b)
    }
  }
}
