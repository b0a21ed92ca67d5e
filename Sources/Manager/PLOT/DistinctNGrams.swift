package import Model

/// The different n-grams of a batch, numbered as they come. Memory is kept from batch to batch, and
/// a new batch clears nothing: entries of older rounds count as empty.
package struct DistinctNGrams {
  private struct Slot {
    var gram = NGram(0, 0, 0)
    /// Whose n-gram: two domains may have different rows for one.
    var tag: UInt32 = 0
    var round: UInt32 = 0
    var number: UInt32 = 0
  }

  private var slots: [Slot] = []
  private var round: UInt32 = 0
  package private(set) var grams: [NGram] = []
  private(set) var tags: [UInt32] = []
  private(set) var hashes: [UInt64] = []

  package init() {}

  package var count: Int { grams.count }

  /// Forgets all; at most `most` insertions may follow.
  package mutating func reset(most: Int) {
    var size = max(64, slots.count)
    while size < 2 * most { size *= 2 }
    if size > slots.count || round == .max {
      slots = [Slot](repeating: Slot(), count: size)
      round = 0
    }
    round += 1
    grams.removeAll(keepingCapacity: true)
    tags.removeAll(keepingCapacity: true)
    hashes.removeAll(keepingCapacity: true)
  }

  /// Its number, a new one if it was not there. O(1).
  package mutating func insert(_ gram: NGram, tag: UInt32 = 0) -> Int {
    let hash = gram.plotHash
    let mask = slots.count - 1
    var place = Int(truncatingIfNeeded: hash &+ UInt64(tag)) & mask
    while slots[place].round == round {
      if slots[place].gram.isSame(as: gram), slots[place].tag == tag {
        return Int(slots[place].number)
      }
      place = (place + 1) & mask
    }
    let number = grams.count
    slots[place] = Slot(gram: gram, tag: tag, round: round, number: UInt32(number))
    grams.append(gram)
    tags.append(tag)
    hashes.append(hash)
    return number
  }
}
