import Compute
import Model

/// Which rows are set aside for testing: told by what a row's text is, so that the same rows are in the next
/// version's test set, whatever comes beside them.
enum SetAside {
  /// One row in so many.
  static let share: UInt64 = 10

  /// A text that is there more often is common: all its rows are learnt from.
  static let mostCopies = 3

  /// The rows' numbers, learnt and tested. A label or tag keeps two rows to learn from, where it has them.
  /// O(rows).
  static func split(_ rows: Examples) -> (learnt: [Int], tested: [Int]) {
    let labels = rows.targets.map(labels)
    var left: [Int32: Int] = [:]
    for label in labels.joined() { left[label, default: 0] += 1 }
    let hashes = (0..<rows.count).map { hash(rows.sequences[$0].ids.values) }
    let copies = Dictionary(hashes.map { ($0, 1) }, uniquingKeysWith: +)
    var (learnt, tested): ([Int], [Int]) = ([], [])
    for row in 0..<rows.count {
      let isFree = labels[row].allSatisfy { left[$0, default: 0] > 2 }
      if hashes[row] % share == 0, copies[hashes[row], default: 0] <= mostCopies, isFree {
        tested.append(row)
        for label in labels[row] { left[label, default: 0] -= 1 }
      } else {
        learnt.append(row)
      }
    }
    return (learnt, tested)
  }

  /// Each once.
  private static func labels(_ target: Examples.Target) -> Set<Int32> {
    switch target {
    case .label(let label): [label]
    case .labels(let labels): Set(labels.map(Int32.init))
    case .tags(let tags): Set(tags)
    case .score, .none: []
    }
  }

  /// FNV-1a (Fowler, Noll, Vo) of the tokens: the same on every machine, whatever the label became.
  private static func hash(_ ids: [Int32]) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for id in ids { hash = (hash ^ UInt64(truncatingIfNeeded: id)) &* 0x100_0000_01B3 }
    return hash ^ hash >> 32
  }
}
