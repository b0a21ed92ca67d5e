internal import HeapModule

/// Who is next: deficit round robin over tenants (Shreedhar, Varghese 1995), counted in what elements
/// cost: their tokens, or a price that is given.
///
/// Tenants with something queued stand in a ring. On its visit a tenant is granted `quantum` x weight
/// of cost on top of what it has left over, and goes on as long as its head costs no more than that;
/// who has nothing queued saves up nothing. So over any time in which two tenants always have
/// something queued, their shares by weight differ by at most a quantum and a longest sequence, and
/// nobody waits for more than one visit to everybody else per quantum. Inside a tenant its requests share
/// (`TenantQueue`).
///
/// A value: events in, elements out, no clock and no lock of its own. All operations are amortised
/// O(1) but for deadlines, O(log n), and a pass over the ring where weights are very small.
package struct FairQueue<Element: Sendable>: Sendable {
  /// Ascends in order of arrival; never used twice.
  package typealias Key = UInt64

  /// Most sequences that may be queued.
  package struct Bounds: Sendable {
    package var total: Int
    /// nil: no tenant takes more places than it leaves free. Alone it gets half of them, and however
    /// many flood the queue, somebody new finds room.
    package var perTenant: Int?

    package init(total: Int, perTenant: Int?) {
      self.total = total
      self.perTenant = perTenant
    }
  }

  package enum Full: Error { case tenant, everybody }

  private struct Entry {
    let element: Element
    let tokens: Int
    let cost: Int
    let lane: Int
    let isBounded: Bool
  }

  private struct Deadline: Comparable {
    let time: ContinuousClock.Instant
    let key: Key

    static func < (a: Deadline, b: Deadline) -> Bool { a.time < b.time }
  }

  /// One tenant in the ring.
  private struct Lane {
    let tenant: Int64
    var weight: Double
    /// Keys without an entry were cancelled.
    var requests = TenantQueue()
    var live = 0
    /// What it may still take on this visit.
    var deficit = 0.0
    var granted = false
  }

  package let bounds: Bounds
  private let quantum: Double
  private var entries: [Key: Entry] = [:]
  private var lanes: [Lane] = []
  private var freeLanes: [Int] = []
  private var laneOfTenant: [Int64: Int] = [:]
  private var ring = Fifo<Int>()
  /// The earliest first; keys that are gone meanwhile stay until their time or until there are many.
  private var deadlines = Heap<Deadline>()
  private var nextKey: Key = 0
  /// Those that bounds count.
  private var bounded = 0
  /// Sum over everything queued.
  package private(set) var tokens = 0

  /// `quantum`: the cost that weight 1 is granted on a visit.
  package init(bounds: Bounds, quantum: Int = 256) {
    precondition(quantum > 0 && bounds.total > 0 && bounds.perTenant ?? 1 > 0)
    self.bounds = bounds
    self.quantum = Double(quantum)
  }

  /// Sequences queued.
  package var count: Int { entries.count }

  /// Queues all of a tenant's `elements`, which are one request, or none of them. `weight` is the tenant's from now on.
  /// `isBounded` is false for what is counted elsewhere: no
  /// bound counts it. `cost` is positive; the default is tokens.
  package mutating func admit(
    _ elements: [(element: Element, tokens: Int)], tenant: Int64, weight: Double,
    deadline: ContinuousClock.Instant, isBounded: Bool = true, cost: ((Element) -> Int)? = nil
  ) throws(Full) -> Range<Key> {
    precondition(weight > 0 && weight.isFinite && elements.allSatisfy { $0.tokens > 0 })
    if isBounded {
      let free = bounds.total - bounded
      guard elements.count <= free else { throw .everybody }
      let queued = laneOfTenant[tenant].map { lanes[$0].live } ?? 0
      guard queued + elements.count <= bounds.perTenant ?? free else { throw .tenant }
    }
    let first = nextKey
    guard !elements.isEmpty else { return first..<first }
    let lane = self.lane(of: tenant, weight: weight)
    for (element, tokens) in elements {
      entries[nextKey] = Entry(
        element: element, tokens: tokens, cost: cost?(element) ?? tokens, lane: lane,
        isBounded: isBounded)
      deadlines.insert(Deadline(time: deadline, key: nextKey))
      if isBounded { bounded += 1 }
      self.tokens += tokens
      nextKey += 1
    }
    lanes[lane].requests.append(first..<nextKey)
    lanes[lane].live += elements.count
    return first..<nextKey
  }

  private mutating func lane(of tenant: Int64, weight: Double) -> Int {
    if let lane = laneOfTenant[tenant] {
      lanes[lane].weight = weight
      return lane
    }
    let fresh = Lane(tenant: tenant, weight: weight)
    let lane = freeLanes.popLast() ?? lanes.count
    if lane == lanes.count { lanes.append(fresh) } else { lanes[lane] = fresh }
    laneOfTenant[tenant] = lane
    ring.append(lane)
    return lane
  }

  /// Takes an element out; nil where it is gone already.
  package mutating func cancel(_ key: Key) -> Element? {
    guard let entry = entries[key] else { return nil }
    remove(key, entry)
    if lanes[entry.lane].requests.count > 2 * lanes[entry.lane].live + 16 {
      lanes[entry.lane].requests.removeGone { entries[$0] != nil }
    }
    return entry.element
  }

  /// Takes out everything whose deadline is not after `now`.
  package mutating func expire(_ now: ContinuousClock.Instant) -> [Element] {
    var gone: [Element] = []
    while let first = deadlines.min, first.time <= now {
      deadlines.removeMin()
      if let element = cancel(first.key) { gone.append(element) }
    }
    return gone
  }

  /// When `expire` may find something next.
  package var earliestDeadline: ContinuousClock.Instant? { deadlines.min?.time }

  /// Takes the next element if it has at most `room` tokens and fits; nil where it does not, or where
  /// nothing is queued.
  package mutating func next(
    within room: Int, where fits: (Element) -> Bool = { _ in true }
  ) -> Element? {
    guard let key = settle(), let entry = entries[key], entry.tokens <= room, fits(entry.element)
    else { return nil }
    lanes[entry.lane].requests.removeFirst(cost: entry.cost)
    lanes[entry.lane].deficit -= Double(entry.cost)
    remove(key, entry)
    return entry.element
  }

  private mutating func remove(_ key: Key, _ entry: Entry) {
    entries[key] = nil
    if entry.isBounded { bounded -= 1 }
    tokens -= entry.tokens
    lanes[entry.lane].live -= 1
    if lanes[entry.lane].live == 0 { lanes[entry.lane].deficit = 0 }
    if deadlines.count > 2 * entries.count + 64 {
      deadlines = Heap(deadlines.unordered.filter { entries[$0.key] != nil })
    }
  }

  /// Turns the ring until the tenant in front may send its head; returns that head.
  private mutating func settle() -> Key? {
    var passed = 0
    while let lane = ring.first {
      guard let key = head(of: lane), let entry = entries[key] else {
        ring.removeFirst()
        laneOfTenant[lanes[lane].tenant] = nil
        freeLanes.append(lane)
        continue
      }
      if Double(entry.cost) <= lanes[lane].deficit { return key }
      if !lanes[lane].granted {
        lanes[lane].granted = true
        lanes[lane].deficit += quantum * lanes[lane].weight
        continue
      }
      lanes[lane].granted = false
      ring.removeFirst()
      ring.append(lane)
      passed += 1
      if passed > ring.count {
        grantIdleRounds()
        passed = 0
      }
    }
    return nil
  }

  private mutating func head(of lane: Int) -> Key? {
    lanes[lane].requests.first { entries[$0] != nil }
  }

  /// Nobody could send for a whole round: grants at once all the rounds before the one in which
  /// somebody can, which is what small weights would otherwise turn the ring for.
  private mutating func grantIdleRounds() {
    var rounds = Double.infinity
    for lane in laneOfTenant.values {
      guard let key = head(of: lane), let entry = entries[key] else { continue }
      let missing = Double(entry.cost) - lanes[lane].deficit
      rounds = min(rounds, (missing / (quantum * lanes[lane].weight)).rounded(.up) - 1)
    }
    guard rounds.isFinite, rounds > 0 else { return }
    for lane in laneOfTenant.values where lanes[lane].live > 0 {
      lanes[lane].deficit += rounds * quantum * lanes[lane].weight
    }
  }
}
