internal import Model

/// What an examination of a table found: its checksums, and a sample of rows computed anew.
package struct PLOTVerification: Sendable {
  package let damage: PLOTDamage
  /// Rows computed anew.
  package let sample: Int
  /// Of those, the ones further from the stored row than the row's format and the arithmetic allow.
  package let wrongRows: Int
  /// Stored rows against fp32 rows computed now, slot by slot.
  package let error: RoundingError

  package var isGood: Bool { damage.isEmpty && wrongRows == 0 }

  /// Computes `sample` rows, spread evenly over the index, but for entries of other vocabularies than
  /// one of so many tokens. Throws what the computer throws.
  package init(
    of file: PLOTFile, computer: any NGramComputer, sample: Int, vocabulary: Int
  ) throws {
    damage = file.damage(vocabulary: vocabulary)
    let step = max(1, file.count / max(1, sample))
    var entries: [PLOTIndexEntry] = []
    var place = 0
    file.forEach { entry in
      if place % step == 0, entries.count < sample, Int(entry.row) < file.count,
        entry.gram.isOf(vocabulary: vocabulary)
      {
        entries.append(entry)
      }
      place += 1
    }
    let format = file.format
    var values = [Float](repeating: 0, count: entries.count * format.valueCount)
    try unsafe values.withUnsafeMutableBufferPointer {
      unsafe try computer.compute(entries.map(\.gram), into: $0)
    }
    var stored = [Float](repeating: 0, count: format.valueCount)
    var error = RoundingError()
    var wrong = 0
    for (i, entry) in entries.enumerated() {
      guard
        let row = unsafe UnsafeRawPointer(bitPattern: file.address(of: Int(entry.row)))
      else { continue }
      unsafe format.decode(row, into: &stored)
      let exact = values[i * format.valueCount..<(i + 1) * format.valueCount]
      var isWrong = false
      for slot in 0..<3 {
        let range = slot * format.hidden..<(slot + 1) * format.hidden
        let expected = exact[
          exact.startIndex + range.lowerBound..<exact.startIndex + range.upperBound]
        error.add(expected, stored[range])
        isWrong = isWrong || !format.isRounding(stored[range], of: expected)
      }
      wrong += isWrong ? 1 : 0
    }
    self.sample = entries.count
    wrongRows = wrong
    self.error = error
  }
}

extension PLOTRowFormat {
  /// Whether `stored`, one slot, is `exact` rounded to this format, give or take what another order
  /// of summation changes (1e-4 of the slot's largest value).
  func isRounding(_ stored: ArraySlice<Float>, of exact: ArraySlice<Float>) -> Bool {
    let largest = exact.reduce(0) { max($0, abs($1)) }
    let slack = 1e-4 * largest + 1e-6
    for (value, kept) in zip(exact, stored) {
      let step: Float =
        switch type {
        case .float32: 0
        case .float16: abs(value) / 2048
        case .int8: largest / 254
        }
      guard abs(value - kept) <= step + slack else { return false }
    }
    return true
  }
}
