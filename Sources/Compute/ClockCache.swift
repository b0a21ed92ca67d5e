/// Values under keys with a bound on their total cost; the CLOCK rule (Corbató 1968) chooses who
/// goes: a hand sweeps over the slots, spares whoever was asked for since it last came by, and takes
/// the first who was not. Nearly LRU, and a hit only sets a bit.
///
/// A value, not a lock: its owner guards it. Every operation is amortised O(1).
package struct ClockCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Slot: Sendable {
    var key: Key
    var value: Value
    var cost: Int
    var wanted: Bool
  }

  /// Most that the values may cost together.
  package let bound: Int
  package private(set) var cost = 0
  private var slots: [Slot] = []
  private var places: [Key: Int] = [:]
  private var hand = 0

  package init(bound: Int) { self.bound = bound }

  package var count: Int { slots.count }

  package mutating func value(for key: Key) -> Value? {
    guard let place = places[key] else { return nil }
    slots[place].wanted = true
    return slots[place].value
  }

  /// Returns what had to go. A value that costs more than the whole bound is not kept. `wanted`: spared when
  /// the hand first comes by, as if it had been asked for.
  package mutating func insert(
    _ value: Value, for key: Key, cost added: Int, wanted: Bool = false
  ) -> [Value] {
    var gone: [Value] = []
    if let old = remove(key) { gone.append(old) }
    guard added <= bound else { return gone }
    gone += makeRoom(for: added)
    places[key] = slots.count
    slots.append(Slot(key: key, value: value, cost: added, wanted: wanted))
    cost += added
    return gone
  }

  /// Takes out what has to go before something of that cost fits, or all there is.
  package mutating func makeRoom(for added: Int) -> [Value] {
    var gone: [Value] = []
    while cost + added > bound, !slots.isEmpty {
      if hand >= slots.count { hand = 0 }
      if slots[hand].wanted {
        slots[hand].wanted = false
        hand += 1
      } else {
        gone.append(removeSlot(hand))
      }
    }
    return gone
  }

  @discardableResult
  package mutating func remove(_ key: Key) -> Value? {
    places[key].map { removeSlot($0) }
  }

  package mutating func removeAll() {
    slots = []
    places = [:]
    (cost, hand) = (0, 0)
  }

  /// The last slot takes the place of the one that goes.
  private mutating func removeSlot(_ place: Int) -> Value {
    let slot = slots[place]
    places[slot.key] = nil
    cost -= slot.cost
    let last = slots.removeLast()
    if place < slots.count {
      slots[place] = last
      places[last.key] = place
    }
    return slot.value
  }
}
