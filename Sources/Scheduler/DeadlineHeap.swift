/// Keys by deadline, the earliest first: a binary heap. Keys that are gone meanwhile stay until their
/// deadline comes or `rebuild` is called; the owner knows which are meant.
struct DeadlineHeap: Sendable {
  struct Item: Sendable {
    var deadline: ContinuousClock.Instant
    var key: UInt64
  }
  private var items: [Item] = []

  var count: Int { items.count }
  var first: Item? { items.first }

  /// O(1) where deadlines come in ascending order, O(log n) otherwise.
  mutating func insert(_ item: Item) {
    items.append(item)
    var child = items.count - 1
    while child > 0, items[child].deadline < items[(child - 1) / 2].deadline {
      items.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
  }

  /// O(log n).
  mutating func removeFirst() {
    items.swapAt(0, items.count - 1)
    items.removeLast()
    sink(0)
  }

  /// O(n).
  mutating func rebuild(keeping isKept: (UInt64) -> Bool) {
    items.removeAll { !isKept($0.key) }
    for parent in (0..<items.count / 2).reversed() { sink(parent) }
  }

  private mutating func sink(_ start: Int) {
    var parent = start
    while true {
      var least = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < items.count {
        if items[child].deadline < items[least].deadline { least = child }
      }
      if least == parent { return }
      items.swapAt(parent, least)
      parent = least
    }
  }
}
