import Compute
import Model

/// Which rows are set aside for testing: told by what a row's text is, so that the same rows are in the next
/// version's test set, whatever comes beside them.
enum SetAside {
  /// One row in so many.
  static let share: UInt64 = 10

  /// The rows' numbers, learnt and tested. A label keeps two rows to learn from, where it has them.
  static func split(_ rows: Examples) -> (learnt: [Int], tested: [Int]) {
    let labels = rows.labelClasses ?? [Int32](repeating: 0, count: rows.count)
    var left: [Int32: Int] = [:]
    for label in labels { left[label, default: 0] += 1 }
    var (learnt, tested): ([Int], [Int]) = ([], [])
    for (row, label) in labels.enumerated() {
      if hash(rows.sequences[row].ids.values) % share == 0, left[label, default: 0] > 2 {
        tested.append(row)
        left[label, default: 0] -= 1
      } else {
        learnt.append(row)
      }
    }
    return (learnt, tested)
  }

  /// FNV-1a (Fowler, Noll, Vo) of the tokens: the same on every machine, whatever the label became.
  private static func hash(_ ids: [Int32]) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for id in ids { hash = (hash ^ UInt64(truncatingIfNeeded: id)) &* 0x100_0000_01B3 }
    return hash ^ hash >> 32
  }
}
