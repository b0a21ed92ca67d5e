import Scheduler
import Testing

/// The fair queue, the batch policy and the prices on a clock of their own: what a quiet tenant waits
/// beside a flood, for many mixes of the two.
@Suite struct FloodTests {
  /// What a sequence truly takes, in milliseconds. It is not what the policy believes: attention is
  /// dearer, batches cost more at their start, preparing depends on whose n-grams are known.
  struct Machine {
    var prepare = 0.002
    var prepareUnknown = 0.002
    var compute = 0.02
    var square = 0.00004
    var batch = 1.0

    func preparing(_ works: [Text]) -> Double {
      works.reduce(0.1) { $0 + Double($1.tokens) * ($1.tenant == 1 ? prepareUnknown : prepare) }
    }
    func computing(_ works: [Text]) -> Double {
      works.reduce(batch) { sum, work in
        let n = Double(work.tokens)
        return sum + n * compute + n * n * square
      }
    }
  }

  struct Text: Batchable {
    var tenant: Int64
    var tokens: Int
    var request: Int
    var units: Double { BatchSpeed.units(tokens: tokens) }
    var base: String { "b" }
    var isUnwanted: Bool { false }
  }

  struct Mix: CustomStringConvertible {
    var flood: ClosedRange<Int>
    var quiet: ClosedRange<Int>
    var machine = Machine()
    var connections = 20
    var texts = 64
    /// Milliseconds a batch may take.
    var limit = 50.0
    var description: String { "\(flood) beside \(quiet) on \(machine)" }
  }

  static let mixes: [Mix] = {
    let slow = Machine(prepare: 0.01, prepareUnknown: 0.05, compute: 0.1, square: 0.0002, batch: 2)
    let missing = Machine(prepareUnknown: 0.05)
    let gpu = Machine(
      prepare: 0.0005, prepareUnknown: 0.001, compute: 0.0004, square: 1e-6, batch: 2)
    var mixes: [Mix] = []
    for (machine, limit) in [(Machine(), 50.0), (slow, 50), (missing, 50), (gpu, 20)] {
      for flood in [4...8, 10...40, 100...128, 4...512] {
        for quiet in [4...8, 100...128, 300...400] {
          mixes.append(Mix(flood: flood, quiet: quiet, machine: machine, limit: limit))
        }
      }
    }
    mixes.append(Mix(flood: 10...40, quiet: 10...40, connections: 3, texts: 256))
    mixes.append(Mix(flood: 10...40, quiet: 10...40, connections: 200, texts: 1))
    return mixes
  }()

  /// The bound of docs/operations.md: twice what it takes alone, and two batches' time.
  @Test func aQuietTenantWaitsForTwoBatches() {
    for mix in Self.mixes {
      let limit = Duration.milliseconds(mix.limit)
      var alone = Simulation(mix, limit: limit, isFlooded: false)
      var beside = Simulation(mix, limit: limit, isFlooded: true)
      let (quiet, flooded) = (alone.run(seconds: 1), beside.run(seconds: 3))
      #expect(quiet.count > 3 && flooded.count > 3, "\(mix)")
      let bound = 2 * percentile(quiet) + 2 * mix.limit
      // One text that takes longer than a batch may goes alone.
      let longest = Text(tenant: 1, tokens: mix.flood.upperBound, request: 0)
      let single = mix.machine.computing([longest]) + mix.machine.preparing([longest])
      let over = max(0, single - mix.limit)
      #expect(percentile(flooded) <= bound + 2 * over, "\(mix): \(percentile(flooded)) of \(bound)")
      // The flood still gets the machine: batches are not so small that it stands still.
      #expect(beside.served > 10, "\(mix)")
    }
  }

  /// As before this bound: batches by tokens alone. The test above must be able to fail.
  @Test func withoutABoundOfTimeItWaitsForMore() {
    let mix = Mix(flood: 10...40, quiet: 4...8)
    var alone = Simulation(mix, limit: .seconds(60), isFlooded: false)
    var beside = Simulation(mix, limit: .seconds(60), isFlooded: true)
    #expect(percentile(beside.run(seconds: 8)) > 2 * percentile(alone.run(seconds: 4)) + 100)
  }

  private func percentile(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    return sorted.isEmpty ? .infinity : sorted[min(sorted.count - 1, sorted.count * 99 / 100)]
  }
}

/// Two stages and a slot between them, as the pipeline has; times in milliseconds.
private struct Simulation {
  typealias Text = FloodTests.Text
  private let mix: FloodTests.Mix
  private let start = ContinuousClock.now
  private var batcher: Batcher<Text>
  private var random = Numbers()
  private var now = 0.0
  /// Batches by where they are, with the time at which they leave.
  private var preparing: (batch: Batcher<Text>.Batch, until: Double)?
  private var slot: Batcher<Text>.Batch?
  private var computing: (batch: Batcher<Text>.Batch, until: Double)?
  /// Answers missing of each request, and when a request was sent.
  private var missing: [Int: Int] = [:]
  private var sent: [Int: Double] = [:]
  private var nextRequest = 0
  private var nextQuiet: Double? = 1500
  private(set) var took: [Double] = []
  private(set) var served = 0

  init(_ mix: FloodTests.Mix, limit: Duration, isFlooded: Bool) {
    self.mix = mix
    batcher = Batcher(
      bounds: .init(total: 4096, perTenant: nil),
      policy: BatchPolicy(tokenBudget: 4096, maxSequences: 256, limit: limit))
    if isFlooded { for _ in 0..<mix.connections { ask(1, mix.flood, mix.texts) } }
    // Alone the machine has been warm as well.
    if !isFlooded { nextQuiet = 1 }
  }

  /// Milliseconds of the quiet tenant's requests, one after the other, 7 ms apart.
  mutating func run(seconds: Double) -> [Double] {
    while now < 1000 * seconds {
      move()
      var times = [preparing?.until, computing?.until, nextQuiet].compactMap(\.self)
      if preparing == nil, slot == nil {
        switch batcher.decide(now: start + .milliseconds(now)) {
        case .close: continue
        case .wait(let until):
          if let until { times.append((until - start) / .milliseconds(1) + 0.001) }
        }
      }
      guard let next = times.min() else { break }
      now = max(now, next)
    }
    return took
  }

  private mutating func move() {
    if let due = nextQuiet, due <= now {
      nextQuiet = nil
      ask(2, mix.quiet, 1)
    }
    if let (batch, until) = computing, until <= now {
      computing = nil
      learn(.compute, batch, FloodTests.Machine.computing(mix.machine))
      batcher.note(.ended)
      for text in batch.elements { answer(text) }
    }
    if let (batch, until) = preparing, until <= now, slot == nil {
      preparing = nil
      learn(.prepare, batch, FloodTests.Machine.preparing(mix.machine))
      slot = batch
    }
    if computing == nil, let batch = slot {
      slot = nil
      batcher.note(
        .started(
          expected: batcher.policies[0].expected(.compute, batch.units),
          at: start + .milliseconds(now)))
      computing = (batch, now + mix.machine.computing(batch.elements))
    }
    if preparing == nil, slot == nil, batcher.decide(now: start + .milliseconds(now)) == .close {
      let batch = batcher.close()
      preparing = (batch, now + mix.machine.preparing(batch.elements))
    }
  }

  private mutating func learn(
    _ stage: BatchSpeed.Stage, _ batch: Batcher<Text>.Batch, _ time: ([Text]) -> Double
  ) {
    let units = (batch.units["b"] ?? 0) + BatchSpeed.batchUnits
    let took = Duration.milliseconds(time(batch.elements))
    switch stage {
    case .prepare:
      batcher.note(.prepared(base: "b", units: units, tokens: batch.tokens, took: took))
    case .compute:
      batcher.note(.computed(base: "b", units: units, tokens: batch.tokens, took: took))
    }
  }

  private mutating func ask(_ tenant: Int64, _ lengths: ClosedRange<Int>, _ texts: Int) {
    let request = nextRequest
    nextRequest += 1
    let list = (0..<texts).map { _ in
      Text(tenant: tenant, tokens: Int.random(in: lengths, using: &random), request: request)
    }
    sent[request] = now
    missing[request] = texts
    do {
      _ = try batcher.admit(
        list, tenant: tenant, weight: 1, deadline: start + .seconds(3600))
    } catch { Issue.record("the queue is full for \(tenant)") }
  }

  private mutating func answer(_ text: Text) {
    if text.tenant == 1 { served += 1 }
    missing[text.request, default: 0] -= 1
    guard missing[text.request] == 0, let began = sent[text.request] else { return }
    missing[text.request] = nil
    sent[text.request] = nil
    if text.tenant == 2 {
      took.append(now - began)
      nextQuiet = now + 7
    } else {
      ask(1, mix.flood, mix.texts)
    }
  }
}

/// The same numbers every time.
private struct Numbers: RandomNumberGenerator {
  var state: UInt64 = 88_172_645_463_325_252
  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
