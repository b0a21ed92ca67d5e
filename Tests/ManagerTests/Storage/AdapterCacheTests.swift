import Compute
import Foundation
import Manager
import Model
import Synchronization
import Testing

@Suite struct AdapterCacheTests {
  let temporary = TemporaryHome()
  let store: AdapterStore
  let device = CountingDevice()
  let spec = VBertSpec.example()
  /// Of one adapter of that specification: 2 x (4*8 + 4 + 8*4 + 8) + 2*8 + 2 numbers.
  let oneByteCount = 4 * (2 * 76 + 18)

  init() throws { store = AdapterStore(registry: try temporary.registry()) }

  private func cache(bound: Int, on device: CountingDevice) -> AdapterCache {
    AdapterCache(store: store, bound: bound) { device.load($0) }
  }

  /// vBERTs "v0"..., each with its own numbers.
  private func publish(_ count: Int) async throws -> [VersionID] {
    var ids: [VersionID] = []
    for seed in 0..<count {
      let vbert = try await store.create(
        vbert: "v\(seed)", spec: spec, base: .tiny, adapter: try makeAdapter(spec, seed: seed))
      ids.append(try #require(vbert.version))
    }
    return ids
  }

  private func isRight(_ adapter: any ResidentAdapter, seed: Int) throws -> Bool {
    let loaded = try #require(adapter as? CountingDevice.Adapter)
    return sameTensors(loaded.host, try makeAdapter(spec, seed: seed))
  }

  @Test func theBoundIsKept() async throws {
    let ids = try await publish(6)
    let cache = cache(bound: 3 * oneByteCount, on: device)
    for _ in 0..<3 {
      for (seed, id) in ids.enumerated() {
        #expect(try isRight(try cache.resident(for: id, base: .tiny), seed: seed))
        #expect(device.counts.withLock(\.liveBytes) <= 3 * oneByteCount)
      }
    }
    let statistics = cache.statistics
    #expect(statistics.residentCount == 3 && statistics.residentBytes == 3 * oneByteCount)
    #expect(statistics.hits + statistics.misses == 18 && statistics.misses == device.loads)
    #expect(statistics.evictions == statistics.misses - 3)
  }

  @Test func aBatchIsReadAtOnce() async throws {
    let ids = try await publish(8)
    let gone = VersionID(vbert: 99, number: 1)
    let cache = cache(bound: 6 * oneByteCount, on: device)
    _ = try cache.resident(for: ids[2], base: .tiny)
    let found = cache.residents(
      for: Array(ids[..<4]) + [gone] + [ids[4]], bases: Array(repeating: .tiny, count: 6))
    for (place, seed) in [(0, 0), (1, 1), (2, 2), (3, 3), (5, 4)] {
      #expect(try isRight(try found[place].get(), seed: seed))
    }
    #expect(throws: AdapterError.gone(gone)) { try found[4].get() }
    let statistics = cache.statistics
    #expect(statistics.hits == 1 && statistics.misses == 6 && statistics.failures == 1)
    // More than fits: the batch holds what it got.
    let all = cache.residents(for: ids, bases: ids.map { _ in .tiny })
    for (seed, adapter) in all.enumerated() { #expect(try isRight(adapter.get(), seed: seed)) }
    #expect(cache.statistics.residentCount == 6)
    #expect(cache.residents(for: [], bases: []).isEmpty)
  }

  @Test func whatABatchHoldsOutlivesItsEviction() async throws {
    let ids = try await publish(3)
    let cache = cache(bound: oneByteCount, on: device)
    var held: (any ResidentAdapter)? = try cache.resident(for: ids[0], base: .tiny)
    _ = try cache.resident(for: ids[1], base: .tiny)
    _ = try cache.resident(for: ids[2], base: .tiny)
    #expect(cache.statistics.residentCount == 1)
    #expect(device.counts.withLock(\.liveBytes) == 2 * oneByteCount)
    #expect(try isRight(#require(held), seed: 0))
    held = nil
    #expect(device.counts.withLock(\.liveBytes) == oneByteCount)
  }

  @Test func whatIsLargerThanTheBoundServesOneBatch() async throws {
    let ids = try await publish(1)
    let cache = cache(bound: oneByteCount - 1, on: device)
    for _ in 0..<2 { #expect(try isRight(try cache.resident(for: ids[0], base: .tiny), seed: 0)) }
    #expect(device.loads == 2 && device.counts.withLock(\.liveBytes) == 0)
  }

  @Test func aVersionIsLoadedOnceHoweverManyAsk() async throws {
    let ids = try await publish(2)
    let slow = CountingDevice(delay: 0.05)
    let cache = cache(bound: 1 << 20, on: slow)
    let wrong = Atomic(0)
    DispatchQueue.concurrentPerform(iterations: 16) { n in
      guard let adapter = try? cache.resident(for: ids[n % 2], base: .tiny),
        (try? isRight(adapter, seed: n % 2)) == true
      else {
        wrong.add(1, ordering: .relaxed)
        return
      }
    }
    #expect(wrong.load(ordering: .relaxed) == 0)
    #expect(slow.loads == 2 && slow.counts.withLock(\.mostInside) == 1)
    #expect(cache.statistics.misses == 2 && cache.statistics.hits == 14)
  }

  /// 16 threads, 40 vBERTs, room for 5: always the right parameters, never more alive than the bound
  /// and what the threads hold.
  @Test func manyThreadsOnASmallCache() async throws {
    let ids = try await publish(40)
    let cache = cache(bound: 5 * oneByteCount, on: device)
    let wrong = Atomic(0)
    let most = Mutex(0)
    let finished = DispatchSemaphore(value: 0)
    let threads = (0..<16).map { _ in
      Thread {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<150 {
          let seed = Int.random(in: 0..<ids.count, using: &random)
          guard let adapter = try? cache.resident(for: ids[seed], base: .tiny),
            (try? isRight(adapter, seed: seed)) == true
          else {
            wrong.add(1, ordering: .relaxed)
            continue
          }
          let live = device.counts.withLock(\.liveBytes)
          most.withLock { $0 = max($0, live) }
        }
        finished.signal()
      }
    }
    for thread in threads { thread.start() }
    for _ in threads { finished.wait() }
    #expect(wrong.load(ordering: .relaxed) == 0)
    // A thread holds one, and one more on its way out of the cache.
    #expect(most.withLock { $0 } <= (5 + 2 * 16) * oneByteCount)
    #expect(cache.statistics.residentBytes <= 5 * oneByteCount)
    #expect(device.counts.withLock(\.liveBytes) == cache.statistics.residentBytes)
  }

  @Test func aDamagedVersionFailsAloneAndHeals() async throws {
    let ids = try await publish(3)
    let cache = cache(bound: 1 << 20, on: device)
    let blob = try #require(try await store.registry.version(ids[1])?.blob?.name)
    let whole = try Data(contentsOf: store.url(blob))
    try FileManager.default.removeItem(at: store.url(blob))
    for _ in 0..<2 {
      let error = #expect(throws: AdapterError.self) {
        try cache.resident(for: ids[1], base: .tiny)
      }
      guard case .corrupt("v1", 1, _)? = error else {
        Issue.record("\(String(describing: error))")
        continue
      }
      #expect(try isRight(try cache.resident(for: ids[0], base: .tiny), seed: 0))
      #expect(try isRight(try cache.resident(for: ids[2], base: .tiny), seed: 2))
    }
    #expect(cache.statistics.failures == 2)
    try whole.write(to: store.url(blob))
    #expect(try isRight(try cache.resident(for: ids[1], base: .tiny), seed: 1))
  }

  @Test func whatWasDeletedIsGone() async throws {
    let ids = try await publish(1)
    let cache = cache(bound: 1 << 20, on: device)
    try await store.delete(vbert: "v0")
    #expect(throws: AdapterError.gone(ids[0])) { try cache.resident(for: ids[0], base: .tiny) }
    #expect(throws: AdapterError.gone(VersionID(vbert: 99, number: 1))) {
      try cache.resident(for: VersionID(vbert: 99, number: 1), base: .tiny)
    }
  }

  @Test func theBaseAndTheDeviceMayRefuse() async throws {
    let ids = try await publish(1)
    var wide = Configuration.tiny
    wide.hiddenSize *= 2
    let other = wide
    let sound = AdapterCache(store: store, bound: 1 << 20) { [device] in device.load($0) }
    let error = #expect(throws: AdapterError.self) { try sound.resident(for: ids[0], base: other) }
    guard case .corrupt("v0", 1, _) = error else { throw error ?? CancellationError() }
    let full = ComputeError.outOfMemory(requestedBytes: 1, flag: "--adapter-cache")
    let noRoom = AdapterCache(
      store: store, bound: 1 << 20, load: { _ in throw full })
    #expect(throws: AdapterError.unloadable(vbert: "v0", version: 1, why: "\(full)")) {
      try noRoom.resident(for: ids[0], base: .tiny)
    }
  }
}
