/// What the batcher must know of a sequence.
package protocol Batchable: Sendable {
  var tokens: Int { get }
  /// As `BatchSpeed` counts them.
  var units: Double { get }
  var base: String { get }
  /// Nobody waits for it any more.
  var isUnwanted: Bool { get }
  /// Has time: it takes what others leave.
  var isBackground: Bool { get }
}

extension Batchable {
  package var isBackground: Bool { false }
}

/// The fair queue and the lanes' batch policies together: sequences in, batches out, each to the lane that
/// asks.
///
/// Fairness is counted in the time that a sequence was foreseen to take when it came, in
/// microseconds: a token of a long text, or of a large base, is dearer than another.
///
/// A value: times are given, never asked for.
package struct Batcher<Element: Batchable>: Sendable {
  package private(set) var queue: FairQueue<Element>
  /// By lane.
  package private(set) var policies: [BatchPolicy]

  /// What a batch was closed with.
  package struct Batch: Sendable {
    package var elements: [Element] = []
    /// Left out, since nobody waits for them.
    package var unwanted: [Element] = []
    package var tokens = 0
    /// By base.
    package var units: [String: Double] = [:]
    package var prepare = Duration.zero
    package var compute = Duration.zero
  }

  /// Every lane begins with that policy, and learns for itself.
  package init(bounds: FairQueue<Element>.Bounds, policy: BatchPolicy, lanes: Int = 1) {
    precondition(lanes > 0)
    policies = Array(repeating: policy, count: lanes)
    // An eighth of a batch: whoever joins the ring gets into the next batch beside seven others.
    let quantum = policy.limit / .microseconds(8)
    queue = FairQueue(bounds: bounds, quantum: max(1, Int(quantum)))
  }

  /// Queues all of a tenant's `elements`, or none of them.
  package mutating func admit(
    _ elements: [Element], tenant: Int64, weight: Double, deadline: ContinuousClock.Instant,
    isBounded: Bool = true
  ) throws(FairQueue<Element>.Full) -> Range<FairQueue<Element>.Key> {
    let policies = policies
    return try queue.admit(
      elements.map { ($0, $0.tokens) }, tenant: tenant, weight: weight, deadline: deadline,
      isBounded: isBounded
    ) { element in
      // As the first lane that has met the base would foresee it.
      let policy = policies.first { $0.speed.seconds(.compute, base: element.base) != nil }
      let seconds = (policy ?? policies[0]).price(base: element.base, units: element.units)
      return max(1, Int(min(1e12, 1e6 * seconds)))
    }
  }

  package mutating func note(_ event: BatchPolicy.Event, lane: Int = 0) {
    policies[lane].note(event)
  }
  package mutating func cancel(_ key: FairQueue<Element>.Key) -> Element? { queue.cancel(key) }
  package mutating func expire(_ now: ContinuousClock.Instant) -> [Element] { queue.expire(now) }

  package func decide(now: ContinuousClock.Instant, lane: Int = 0) -> BatchPolicy.Decision {
    policies[lane].decide(sequences: queue.count, tokens: queue.tokens, now: now)
  }

  /// Takes the lane's next batch out, in the queue's order, one sequence at least.
  package mutating func close(lane: Int = 0) -> Batch {
    let policy = policies[lane]
    var batch = Batch()
    let limit = policy.limit / .seconds(1) * Self.aim
    var seconds = 0.0
    while batch.elements.count < policy.maxSequences {
      let isFirst = batch.elements.isEmpty
      let next = queue.next(within: policy.tokenBudget - batch.tokens) { element in
        let most = element.isBackground ? limit * Self.background : limit
        return isFirst || element.isUnwanted
          || seconds + Self.price(element, in: batch, policy) <= most
      }
      guard let next else { break }
      if next.isUnwanted {
        batch.unwanted.append(next)
        continue
      }
      seconds += Self.price(next, in: batch, policy)
      batch.tokens += next.tokens
      batch.units[next.base, default: 0] += next.units
      batch.elements.append(next)
    }
    batch.prepare = policy.expected(.prepare, batch.units)
    batch.compute = policy.expected(.compute, batch.units)
    policies[lane].note(.closed)
    return batch
  }

  /// Share of the limit that batches aim at: some take longer than foreseen.
  private static var aim: Double { 0.8 }

  /// Share of a batch's time that elements of the background may fill: so long at most somebody waits for them who
  /// comes when nobody else did.
  private static var background: Double { 0.1 }

  /// Seconds that the batch takes longer with this in it.
  private static func price(_ element: Element, in batch: Batch, _ policy: BatchPolicy) -> Double {
    let isNew = batch.units[element.base] == nil
    return policy.price(
      base: element.base, units: element.units + (isNew ? BatchSpeed.batchUnits : 0))
  }
}
