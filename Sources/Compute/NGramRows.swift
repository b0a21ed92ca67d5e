/// One token's n-gram row, [3, hidden]: the n-gram's left, centre and right state, wherever it lies.
///
/// Formats: float32 or float16, 3 x hidden values; int8, 3 x hidden values after three float32
/// scales (value = scale[slot] * code). Host memory that stays readable until the merge has run.
package struct NGramRow: Sendable, Hashable {
  /// Host address of the row; 0 is a row of zeros.
  package let address: UInt
  package let type: ElementType

  package init(address: UInt, type: ElementType) {
    self.address = address
    self.type = type
  }

  package static let zero = NGramRow(address: 0, type: .float32)

  /// Bytes of a stored row.
  package static func byteCount(hidden: Int, type: ElementType) -> Int {
    3 * hidden * type.byteCount + (type == .int8 ? 3 * 4 : 0)
  }
}
