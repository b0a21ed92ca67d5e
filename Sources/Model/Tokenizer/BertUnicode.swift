/// What BERT's tokeniser does with each code point, as the reference library does it.
///
/// Swift's own Unicode properties are those of another version (see scripts/make_bert_unicode.py):
/// with them, marks and punctuation younger than 2015 would come out differently.
struct BertUnicode: Sendable {
  struct Traits: OptionSet, Sendable {
    let rawValue: UInt8
    /// Removed before anything else: control and format characters, private use, NUL, U+FFFD.
    static let drop = Traits(rawValue: 1)
    /// Becomes a space.
    static let space = Traits(rawValue: 2)
    /// Is a word of its own.
    static let punctuation = Traits(rawValue: 4)
    /// Gets a space on both sides.
    static let ideograph = Traits(rawValue: 8)
    /// Non-spacing: removed where accents are.
    static let mark = Traits(rawValue: 16)
    /// Has a canonical decomposition.
    static let decomposes = Traits(rawValue: 32)
    /// Has a lower case.
    static let lowers = Traits(rawValue: 64)
    /// Has a canonical combining class above 0.
    static let nonstarter = Traits(rawValue: 128)
  }

  static let shared = BertUnicode()

  /// One byte a code point: a megabyte, of which text touches a few pages.
  private let traits: [UInt8]
  private let combiningClasses: SortedTable<UInt8>
  private let lowercases: SortedTable<UInt32>
  /// Ranges of `decomposed`.
  private let decompositions: SortedTable<Range<UInt16>>
  private let decomposed: [UInt32]

  private init() {
    var numbers = Numbers(BertUnicodeData.traits)
    var traits: [UInt8] = []
    traits.reserveCapacity(0x110000)
    while let length = numbers.next(), let value = numbers.next() {
      traits.append(contentsOf: repeatElement(UInt8(value), count: Int(length)))
    }
    precondition(traits.count == 0x110000)
    self.traits = traits

    combiningClasses = SortedTable(BertUnicodeData.combiningClasses) { numbers, _ in
      UInt8(numbers.next() ?? 0)
    }
    lowercases = SortedTable(BertUnicodeData.lowercase) { numbers, scalar in
      let zigzag = numbers.next() ?? 0
      return scalar &+ (zigzag & 1 == 0 ? zigzag / 2 : 0 &- zigzag / 2 &- 1)
    }
    var decomposed: [UInt32] = []
    decompositions = SortedTable(BertUnicodeData.decompositions) { numbers, _ in
      let start = UInt16(decomposed.count)
      for _ in 0..<(numbers.next() ?? 0) { decomposed.append(numbers.next() ?? 0) }
      return start..<UInt16(decomposed.count)
    }
    self.decomposed = decomposed
  }

  func traits(of scalar: UInt32) -> Traits { Traits(rawValue: traits[Int(scalar)]) }

  /// The canonical combining class of a nonstarter.
  func combiningClass(of scalar: UInt32) -> UInt8 { combiningClasses[scalar] ?? 0 }

  /// The lower case of a code point that has one; the first code point of it for U+0130, which is
  /// followed by U+0307.
  func lowercase(of scalar: UInt32) -> UInt32 { lowercases[scalar] ?? scalar }

  /// The full canonical decomposition of a code point that has one, appended to `out`.
  func decompose(_ scalar: UInt32, into out: inout [UInt32]) {
    // Hangul syllables by arithmetic: The Unicode Standard, section 3.12.
    if scalar >= 0xAC00, scalar < 0xAC00 + 11172 {
      let index = scalar - 0xAC00
      out.append(0x1100 + index / 588)
      out.append(0x1161 + index % 588 / 28)
      if index % 28 > 0 { out.append(0x11A7 + index % 28) }
    } else if let range = decompositions[scalar] {
      out.append(contentsOf: decomposed[Int(range.lowerBound)..<Int(range.upperBound)])
    }
  }
}

/// Values by code point, found by bisection.
private struct SortedTable<Value: Sendable>: Sendable {
  private var keys: [UInt32] = []
  private var values: [Value] = []

  init(_ text: String, value: (inout Numbers, _ scalar: UInt32) -> Value) {
    var numbers = Numbers(text)
    var scalar: UInt32 = 0
    while let distance = numbers.next() {
      scalar += distance
      keys.append(scalar)
      values.append(value(&numbers, scalar))
    }
  }

  subscript(scalar: UInt32) -> Value? {
    var low = 0
    var high = keys.count
    while low < high {
      let middle = (low + high) / 2
      if keys[middle] < scalar { low = middle + 1 } else { high = middle }
    }
    return low < keys.count && keys[low] == scalar ? values[low] : nil
  }
}

/// Reads the numbers of `BertUnicodeData`.
private struct Numbers {
  private var digits: String.UTF8View.Iterator

  init(_ text: String) { digits = text.utf8.makeIterator() }

  mutating func next() -> UInt32? {
    var value: UInt32 = 0
    var shift: UInt32 = 0
    while let digit = digits.next() {
      value |= UInt32((digit - 48) & 31) << shift
      if digit < 48 + 32 { return value }
      shift += 5
    }
    return nil
  }
}
