internal import HeapModule

/// What one tenant has queued: its requests share by what they cost, whoever came first, so that a short
/// one does not wait behind a bulk of hundreds. Each is served in its order, and requests of one sequence
/// in the order in which they came.
///
/// Start-time fair queueing (Goyal, Vin, Cheng 1996): a request begins at the tenant's virtual time and
/// moves on by the cost of what is taken from it; next is who is furthest behind. The virtual time moves on
/// by that cost divided by the requests that wait, so that requests that keep coming starve none.
///
/// Of keys that are gone the owner knows. All operations are amortised O(log requests).
struct TenantQueue: Sendable {
  typealias Key = UInt64

  private struct Flow: Comparable {
    var start: Double
    /// Ascends in order of arrival.
    var keys: Range<Key>

    static func < (a: Flow, b: Flow) -> Bool {
      (a.start, a.keys.lowerBound) < (b.start, b.keys.lowerBound)
    }
  }

  private var flows = Heap<Flow>()
  private var time = 0.0

  /// Requests, those of which nothing is left included until they are met.
  var count: Int { flows.count }

  /// One request's sequences.
  mutating func append(_ keys: Range<Key>) {
    if !keys.isEmpty { flows.insert(Flow(start: time, keys: keys)) }
  }

  /// The key that is next; those that are gone are passed over for good.
  mutating func first(_ isThere: (Key) -> Bool) -> Key? {
    while let flow = flows.min {
      guard let key = flow.keys.first(where: isThere) else {
        flows.removeMin()
        continue
      }
      if key > flow.keys.lowerBound {
        flows.replaceMin(with: Flow(start: flow.start, keys: key..<flow.keys.upperBound))
      }
      // It may be another's turn now, where two began at once.
      if flows.min?.keys.lowerBound == key { return key }
    }
    return nil
  }

  /// What `first` gave is taken, at this cost.
  mutating func removeFirst(cost: Int) {
    guard let flow = flows.min else { return }
    time = max(time, flow.start) + Double(cost) / Double(flows.count)
    let rest = flow.keys.dropFirst()
    if rest.isEmpty {
      flows.removeMin()
    } else {
      flows.replaceMin(with: Flow(start: flow.start + Double(cost), keys: rest))
    }
  }

  /// Forgets requests of which nothing is there. O(sequences).
  mutating func removeGone(_ isThere: (Key) -> Bool) {
    flows = Heap(flows.unordered.filter { $0.keys.contains(where: isThere) })
  }
}
