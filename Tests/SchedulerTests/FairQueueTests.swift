import Scheduler
import TestSupport
import Testing

private typealias Queue = FairQueue<Int>
private let far = ContinuousClock.now + .seconds(3600)

@Suite struct FairQueueTests {
  @Test func oneTenantIsFirstComeFirstServed() throws {
    var queue = Queue(bounds: .init(total: 100, perTenant: 100))
    for i in 0..<50 {
      _ = try queue.admit([(i, 1 + i * 7 % 300)], tenant: 1, weight: 1, deadline: far)
    }
    var order: [Int] = []
    while let next = queue.next(within: 512) { order.append(next) }
    #expect(order == Array(0..<50))
    #expect(queue.tokens == 0 && queue.count == 0)
  }

  @Test func whatDoesNotFitStaysInFront() throws {
    var queue = Queue(bounds: .init(total: 9, perTenant: 9))
    _ = try queue.admit([(1, 100), (2, 5)], tenant: 1, weight: 1, deadline: far)
    let taken = [99, 100, 5].map { queue.next(within: $0) }
    #expect(taken == [nil, 1, 2])
  }

  /// Over any stretch in which all have something queued, each share is within a quantum of its
  /// weight and a longest sequence of what the weights say.
  @Test func fuzzedSharesFollowTheWeights() throws {
    try Fuzz.run { random, seed in
      let tenants = Int.random(in: 2...6, using: &random)
      let weights: [Double] = (0..<tenants).map { _ in
        [0.01, 0.3, 1, 2.5, 10, 100].randomElement(using: &random) ?? 1
      }
      let (quantum, longest) = (256, 512)
      var queue = Queue(bounds: .init(total: 1 << 20, perTenant: 1 << 20), quantum: quantum)
      var cost: [Int: (tenant: Int, tokens: Int)] = [:]
      var queued = [Int](repeating: 0, count: tenants)
      var served = [Double](repeating: 0, count: tenants)
      for step in 0..<3000 {
        for tenant in 0..<tenants where queued[tenant] < 3 {
          let tokens = Int.random(in: 1...longest, using: &random)
          let id = cost.count
          cost[id] = (tenant, tokens)
          _ = try queue.admit(
            [(id, tokens)], tenant: Int64(tenant), weight: weights[tenant], deadline: far)
          queued[tenant] += 1
        }
        let next = queue.next(within: longest)
        let id = try #require(next, "seed \(seed) step \(step)")
        let (tenant, tokens) = try #require(cost[id])
        queued[tenant] -= 1
        served[tenant] += Double(tokens)
      }
      for a in 0..<tenants {
        for b in 0..<tenants {
          let (x, y) = (served[a] / weights[a], served[b] / weights[b])
          let bound =
            2 * Double(quantum) + Double(longest) / weights[a] + Double(longest) / weights[b]
          #expect(abs(x - y) <= bound, "seed \(seed): \(weights) \(served)")
        }
      }
    }
  }

  /// Whatever the order of arrivals, removals and cancellations: everything comes out once, in its
  /// request's order, and the sums agree with a naive list.
  @Test func fuzzedQueuesLoseNothingAndGiveNothingTwice() {
    Fuzz.run { random, seed in
      var pair = Pair()
      for _ in 0..<2000 {
        switch Int.random(in: 0..<10, using: &random) {
        case 0..<4: pair.admit(&random)
        case 4..<8: pair.next(within: Int.random(in: 100...300, using: &random))
        case 8: pair.cancel(&random)
        default: pair.expire(after: Int.random(in: 0...200, using: &random))
        }
        guard pair.agrees else { break }
      }
      while pair.agrees, !pair.naive.isEmpty { pair.next(within: 300) }
      #expect(pair.agrees, "seed \(seed)")
    }
  }

  /// A tenant that floods the queue cannot keep another waiting for more than a round.
  @Test func aFloodStarvesNobody() throws {
    var queue = Queue(bounds: .init(total: 100_000, perTenant: 90_000))
    for i in 0..<50_000 {
      _ = try queue.admit([(i, 128)], tenant: 1, weight: 100, deadline: far)
    }
    _ = try queue.admit([(-1, 128)], tenant: 2, weight: 1, deadline: far)
    var before = 0
    while let next = queue.next(within: 512), next != -1 { before += 128 }
    #expect(before <= 256 * 100 + 512)
  }

  /// A short request does not wait behind its own tenant's bulk, nor behind many of them.
  @Test func aShortOneDoesNotWaitForItsTenantsBulk() throws {
    var queue = Queue(bounds: .init(total: 10_000, perTenant: 9000))
    for bulk in 0..<4 {
      let texts = (0..<256).map { (element: 1000 * (bulk + 1) + $0, tokens: 512) }
      _ = try queue.admit(texts, tenant: 1, weight: 1, deadline: far)
    }
    for _ in 0..<100 { _ = queue.next(within: 512) }
    _ = try queue.admit([(-1, 8)], tenant: 1, weight: 1, deadline: far)
    var before = 0
    while let next = queue.next(within: 512), next != -1 { before += 1 }
    #expect(before <= 4)
  }

  /// Requests that keep coming do not keep a bulk of their tenant from its share.
  @Test func shortOnesDoNotStarveABulk() throws {
    var queue = Queue(bounds: .init(total: 10_000, perTenant: 9000))
    let texts = (0..<200).map { (element: $0, tokens: 100) }
    _ = try queue.admit(texts, tenant: 1, weight: 1, deadline: far)
    var (short, bulk, id) = (0, 0, 1000)
    // Always one that waits, and then always ten.
    for waiting in [1, 10] {
      (short, bulk) = (0, 0)
      var shorts = 0
      for _ in 0..<2000 {
        while shorts < waiting {
          _ = try queue.admit([(id, 10)], tenant: 1, weight: 1, deadline: far)
          (id, shorts) = (id + 1, shorts + 1)
        }
        guard let next = queue.next(within: 512) else { break }
        if next < 1000 { bulk += 100 } else { (short, shorts) = (short + 10, shorts - 1) }
      }
      // One of so many requests: that share of the tokens, give or take a half.
      let share = Double(bulk) / Double(bulk + short)
      #expect((0.5...1.5).contains(share * Double(waiting + 1)), "\(waiting): \(share)")
    }
  }

  /// Requests of one tenant that always wait are served alike, whatever their sequences are.
  @Test func fuzzedRequestsShareAlike() throws {
    try Fuzz.run { random, seed in
      let count = Int.random(in: 2...8, using: &random)
      var queue = Queue(bounds: .init(total: 1 << 20, perTenant: 1 << 20))
      var owner: [Int: (request: Int, tokens: Int)] = [:]
      for request in 0..<count {
        let most = [8, 64, 512].randomElement(using: &random) ?? 8
        let texts = (0..<(40_000 / most)).map { _ in
          let tokens = Int.random(in: (most / 2)...most, using: &random)
          owner[owner.count] = (request, tokens)
          return (element: owner.count - 1, tokens: tokens)
        }
        _ = try queue.admit(texts, tenant: 1, weight: 1, deadline: far)
      }
      var served = [Double](repeating: 0, count: count)
      while served.reduce(0, +) < 10_000 {
        let taken = queue.next(within: 512)
        let next = try #require(taken)
        let (request, tokens) = try #require(owner[next])
        served[request] += Double(tokens)
      }
      let (least, most) = (served.min() ?? 0, served.max() ?? 0)
      #expect(most - least <= 2 * 512, "seed \(seed): \(served)")
    }
  }

  @Test func boundsHoldForAllOrNothing() throws {
    var queue = Queue(bounds: .init(total: 5, perTenant: 3))
    _ = try queue.admit([(1, 1), (2, 1)], tenant: 1, weight: 1, deadline: far)
    #expect(throws: Queue.Full.tenant) {
      _ = try queue.admit([(3, 1), (4, 1)], tenant: 1, weight: 1, deadline: far)
    }
    _ = try queue.admit([(5, 1), (6, 1), (7, 1)], tenant: 2, weight: 1, deadline: far)
    #expect(throws: Queue.Full.everybody) {
      _ = try queue.admit([(8, 1)], tenant: 3, weight: 1, deadline: far)
    }
    #expect(queue.count == 5)
  }

  /// Cancelled keys must not pile up while nothing is taken out.
  @Test func cancellationLeavesNothingBehind() throws {
    var queue = Queue(bounds: .init(total: 10, perTenant: 10))
    let clock = ContinuousClock()
    let took = try clock.measure {
      for i in 0..<200_000 {
        let keys = try queue.admit([(i, 9)], tenant: 1, weight: 1, deadline: far)
        guard queue.cancel(keys.lowerBound) == i else { Issue.record("\(i) is gone"); break }
      }
    }
    let next = queue.next(within: 512)
    #expect(queue.count == 0 && queue.tokens == 0 && next == nil)
    #expect(took < .seconds(20))
  }
}

/// A queue beside a list that does the same naively.
private struct Pair {
  struct Item {
    var key: UInt64
    var id: Int
    var tenant: Int64
    /// The key of its request's first.
    var request: UInt64
    var tokens: Int
    var due: Int
  }
  var queue = Queue(bounds: .init(total: 200, perTenant: 60), quantum: 50)
  var naive: [Item] = []
  private let start = ContinuousClock.now
  private var now = 0
  private var id = 0
  private var same = true

  var agrees: Bool {
    same && queue.count == naive.count && queue.tokens == naive.reduce(0) { $0 + $1.tokens }
  }

  mutating func admit(_ random: inout SeededGenerator) {
    let tenant = Int64.random(in: 0..<8, using: &random)
    let due = now + Int.random(in: 1...3000, using: &random)
    var items: [(element: Int, tokens: Int)] = []
    for _ in 0..<Int.random(in: 0...4, using: &random) {
      items.append((id, Int.random(in: 1...300, using: &random)))
      id += 1
    }
    let ofTenant = naive.count { $0.tenant == tenant }
    let fits = naive.count + items.count <= 200 && ofTenant + items.count <= 60
    do {
      var key = try queue.admit(
        items, tenant: tenant, weight: Double(tenant + 1) / 3, deadline: start + .milliseconds(due)
      ).lowerBound
      let request = key
      for item in items {
        naive.append(
          Item(
            key: key, id: item.element, tenant: tenant, request: request, tokens: item.tokens,
            due: due))
        key += 1
      }
      same = same && fits
    } catch { same = same && !fits }
  }

  mutating func next(within room: Int) {
    guard let next = queue.next(within: room) else {
      // Somebody's head does not fit.
      same = same && (naive.isEmpty || room < 300)
      return
    }
    guard let place = naive.firstIndex(where: { $0.id == next }) else { return same = false }
    let request = naive[place].request
    same = same && naive.first { $0.request == request }?.id == next && naive[place].tokens <= room
    naive.remove(at: place)
  }

  mutating func cancel(_ random: inout SeededGenerator) {
    guard let victim = naive.randomElement(using: &random) else { return }
    let (once, twice) = (queue.cancel(victim.key), queue.cancel(victim.key))
    same = same && once == victim.id && twice == nil
    naive.removeAll { $0.id == victim.id }
  }

  mutating func expire(after time: Int) {
    now += time
    let gone = Set(queue.expire(start + .milliseconds(now)))
    same = same && gone == Set(naive.filter { $0.due <= now }.map(\.id))
    naive.removeAll { $0.due <= now }
  }
}
