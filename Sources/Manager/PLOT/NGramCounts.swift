internal import Model

/// An n-gram and how often it was seen, as runs keep them in memory and on disk: 16 bytes.
struct NGramCount: Equatable {
  var gram: NGram
  /// Stops at the largest number.
  var count: UInt32

  static let byteCount = 16

  /// Runs are in this order, whatever the machine did in which order.
  static func precedes(_ a: NGram, _ b: NGram) -> Bool {
    let (high, other) = (a.sortKey, b.sortKey)
    return high != other ? high < other : a.right < b.right
  }
}

extension NGram {
  /// None comes before all ids.
  fileprivate var sortKey: UInt64 {
    UInt64(UInt32(bitPattern: left &+ 1)) << 32 | UInt64(UInt32(bitPattern: centre &+ 1))
  }
}

/// Counts n-grams within a bound of memory: one worker's table. Open addressing, doubled until the
/// bound is reached; what is full is drained into a sorted run by its owner.
struct NGramCounts {
  private var slots: [NGramCount]
  private var used = 0
  private let mostSlots: Int

  /// At least 1,024 slots, and no more than `byteCount` holds together with what `drain` returns.
  init(byteCount: Int) {
    var most = 1_024
    while most <= byteCount / (2 * NGramCount.byteCount * 7 / 4) { most *= 2 }
    mostSlots = most
    slots = [NGramCount](repeating: NGramCount(gram: NGram(0, 0, 0), count: 0), count: 1_024)
  }

  /// Fewer than two further different n-grams fit: drain.
  var isFull: Bool { (used + 2) * 4 > mostSlots * 3 }
  var isEmpty: Bool { used == 0 }

  /// It must have a centre, and the table not full. O(1) on average.
  mutating func add(_ gram: NGram) {
    if used * 4 >= slots.count * 3 { grow() }
    let place = place(of: gram)
    if slots[place].count == 0 {
      slots[place].gram = gram
      used += 1
    }
    if slots[place].count < .max { slots[place].count += 1 }
  }

  private func place(of gram: NGram) -> Int {
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: gram.plotHash) & mask
    while slots[place].count != 0, !slots[place].gram.isSame(as: gram) {
      place = (place + 1) & mask
    }
    return place
  }

  private mutating func grow() {
    let old = slots
    slots = [NGramCount](
      repeating: NGramCount(gram: NGram(0, 0, 0), count: 0), count: 2 * old.count)
    for entry in old where entry.count != 0 { slots[place(of: entry.gram)] = entry }
  }

  /// Everything counted, sorted; the table is empty afterwards and keeps its size.
  mutating func drain() -> [NGramCount] {
    var run = slots.filter { $0.count != 0 }
    run.sort { NGramCount.precedes($0.gram, $1.gram) }
    for place in slots.indices { slots[place].count = 0 }
    used = 0
    return run
  }
}
