/// Values under keys with a bound on their total cost; the CLOCK rule (Corbató 1968) chooses who
/// goes: a hand sweeps over the slots, spares whoever was asked for since it last came by, and takes
/// the first who was not. Nearly LRU, and a hit only sets a bit.
///
/// A value, not a lock: its owner guards it. Every operation is amortised O(1).
struct ClockCache<Key: Hashable & Sendable, Value: Sendable>: Sendable {
  private struct Slot: Sendable {
    var key: Key
    var value: Value
    var cost: Int
    var wanted: Bool
  }

  /// Most that the values may cost together.
  let bound: Int
  private(set) var cost = 0
  private var slots: [Slot] = []
  private var places: [Key: Int] = [:]
  private var hand = 0

  init(bound: Int) { self.bound = bound }

  var count: Int { slots.count }

  mutating func value(for key: Key) -> Value? {
    guard let place = places[key] else { return nil }
    slots[place].wanted = true
    return slots[place].value
  }

  /// Returns what had to go. A value that costs more than the whole bound is not kept.
  mutating func insert(_ value: Value, for key: Key, cost added: Int) -> [Value] {
    var gone: [Value] = []
    if let old = remove(key) { gone.append(old) }
    guard added <= bound else { return gone }
    while cost + added > bound {
      if hand >= slots.count { hand = 0 }
      if slots[hand].wanted {
        slots[hand].wanted = false
        hand += 1
      } else {
        gone.append(removeSlot(hand))
      }
    }
    places[key] = slots.count
    slots.append(Slot(key: key, value: value, cost: added, wanted: false))
    cost += added
    return gone
  }

  @discardableResult
  mutating func remove(_ key: Key) -> Value? {
    places[key].map { removeSlot($0) }
  }

  mutating func removeAll() {
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
