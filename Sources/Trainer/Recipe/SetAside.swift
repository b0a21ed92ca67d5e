import Model

/// Which rows are set aside for testing: told by what a row says, so that the same rows are in the next
/// version's test set, whatever comes beside them.
enum SetAside {
  /// One row in so many.
  static let share: UInt64 = 10

  /// The rows' numbers, learnt and tested. A label keeps two rows to learn from, where it has them.
  static func split(_ rows: [DataRow]) -> (learnt: [Int], tested: [Int]) {
    var left: [[UInt8]: Int] = [:]
    for row in rows { left[label(row), default: 0] += 1 }
    var (learnt, tested): ([Int], [Int]) = ([], [])
    for (number, row) in rows.enumerated() {
      let label = label(row)
      if hash(row) % share == 0, left[label, default: 0] > 2 {
        tested.append(number)
        left[label, default: 0] -= 1
      } else {
        learnt.append(number)
      }
    }
    return (learnt, tested)
  }

  private static func label(_ row: DataRow) -> [UInt8] {
    Array((row.target?.labels ?? []).joined(separator: "\u{1F}").utf8)
  }

  /// FNV-1a (Fowler, Noll, Vo), of the text alone: the same on every machine, whatever its label became.
  private static func hash(_ row: DataRow) -> UInt64 {
    let words: [String] =
      switch row.input {
      case .text(let text), .running(let text): [text]
      case .pair(let a, let b): [a, b]
      case .words(let words): words
      }
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for word in words {
      for byte in Array(word.utf8) + [0x1F] { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }
    return hash ^ hash >> 32
  }
}
