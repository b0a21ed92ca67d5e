import Foundation
import Model
import Synchronization
import TestSupport
import Testing

@testable import Manager

struct PLOTCacheTests {
  static let format = PLOTRowFormat(type: .float32, hidden: 16)

  private func cache(rows: Int) -> PLOTCache {
    PLOTCache(
      format: PLOTCacheTests.format, byteCount: rows * (PLOTCacheTests.format.stride + 36))
  }

  private static func values(_ gram: NGram) -> [Float] {
    KeyedRows.values(gram, hidden: format.hidden)
  }

  private func admit(_ gram: NGram, to cache: PLOTCache) {
    unsafe PLOTCacheTests.values(gram).withUnsafeBytes { row in
      guard let row = row.baseAddress else { return }
      unsafe [gram].withUnsafeBufferPointer { unsafe cache.admit($0, rows: row) }
    }
  }

  private func contains(_ gram: NGram, _ cache: PLOTCache) -> Bool {
    cache.find(gram, hash: gram.plotHash) != 0
  }

  @Test func staysWithinItsBound() {
    let cache = cache(rows: 900)
    #expect(cache.capacity == 800)
    for gram in SmallPLOT.grams(5_000, seed: 7) { admit(gram, to: cache) }
    #expect(cache.count <= 800 && cache.count > 700)
    var listed = 0
    cache.forEach { gram, address in
      listed += 1
      #expect(PLOTCacheTests.format.decoded(address) == PLOTCacheTests.values(gram))
    }
    #expect(listed == cache.count)
  }

  @Test(arguments: [0, 1, 8, 9, 10])
  func verySmallOnesHoldLittleOrNothing(rows: Int) {
    let cache = cache(rows: rows)
    for gram in SmallPLOT.grams(100, seed: 8) { admit(gram, to: cache) }
    #expect(cache.count == (rows < 9 ? 0 : 8))
  }

  @Test func aRareOneDoesNotDisplaceACommonOne() {
    let cache = cache(rows: 9)
    let grams = SmallPLOT.grams(9, seed: 9)
    for _ in 0..<3 { for gram in grams[..<8] { admit(gram, to: cache) } }
    admit(grams[8], to: cache)
    admit(grams[8], to: cache)
    admit(grams[8], to: cache)
    #expect(!contains(grams[8], cache) && cache.rejected == 3)
    admit(grams[8], to: cache)
    #expect(contains(grams[8], cache) && cache.count == 8)
  }

  /// The spare row is used up by one replacement; the next must wait for the batch to end.
  @Test func aRowThatABatchLooksAtIsNotOverwritten() throws {
    let cache = cache(rows: 9)
    let grams = SmallPLOT.grams(12, seed: 10)
    for gram in grams[..<8] { admit(gram, to: cache) }
    var pin = cache.pins.pin()
    #expect(pin != nil)
    let addresses = grams[..<8].map { cache.find($0, hash: $0.plotHash) }
    for _ in 0..<20 { for gram in grams[8...] { admit(gram, to: cache) } }
    #expect(grams[8...].count { contains($0, cache) } == 1)
    for (gram, address) in zip(grams, addresses) {
      #expect(PLOTCacheTests.format.decoded(address) == PLOTCacheTests.values(gram))
    }
    withExtendedLifetime(pin) {}
    pin = nil
    for _ in 0..<20 { for gram in grams[8...] { admit(gram, to: cache) } }
    #expect(grams[8...].count { contains($0, cache) } == 4)
  }

  @Test func pinsAreBoundedAndGivenBack() {
    let pins = RowPins()
    var held = (0..<RowPins.most).compactMap { _ in pins.pin() }
    #expect(held.count == RowPins.most && pins.pin() == nil)
    held.removeAll()
    #expect(pins.pin() != nil)
  }

  /// Three readers check every value of every row that they find while one writer replaces rows as
  /// fast as it can.
  @Test func readersNeverSeeATornRow() {
    let cache = cache(rows: 45)
    let grams = SmallPLOT.grams(400, seed: 11)
    let tally = Tally()
    for number in 0..<3 {
      Thread { PLOTCacheTests.read(cache, grams, tally, number: number) }.start()
    }
    var generator = SeededGenerator(seed: 99)
    var replaced = 0
    // However busy the machine is: so many, within a minute.
    let end = ContinuousClock.now + .seconds(60)
    while replaced < 300 || tally.hits.load(ordering: .relaxed) < 5_000, ContinuousClock.now < end {
      // A favourite for a while, so that it displaces others.
      guard let gram = grams.randomElement(using: &generator) else { break }
      let was = contains(gram, cache)
      for _ in 0..<12 { admit(gram, to: cache) }
      if !was, contains(gram, cache) { replaced += 1 }
    }
    tally.stop.store(true, ordering: .relaxed)
    while tally.ended.load(ordering: .acquiring) < 3 { Thread.sleep(forTimeInterval: 0.001) }
    #expect(tally.wrong.load(ordering: .relaxed) == 0)
    #expect(tally.hits.load(ordering: .relaxed) >= 5_000 && replaced >= 300)
  }

  private final class Tally: Sendable {
    let stop = Atomic(false)
    let hits = Atomic(0)
    let wrong = Atomic(0)
    let ended = Atomic(0)
  }

  private static func read(_ cache: PLOTCache, _ grams: [NGram], _ tally: Tally, number: Int) {
    var generator = SeededGenerator(seed: UInt64(number))
    while !tally.stop.load(ordering: .relaxed) {
      guard let pin = cache.pins.pin() else { continue }
      let batch = (0..<20).compactMap { _ in grams.randomElement(using: &generator) }
      let addresses = batch.map { cache.find($0, hash: $0.plotHash) }
      // One reader is slow: its rows are replaced while it looks.
      if number == 0 { Thread.sleep(forTimeInterval: 0.0002) }
      for (gram, address) in zip(batch, addresses) where address != 0 {
        tally.hits.add(1, ordering: .relaxed)
        if format.decoded(address) != values(gram) { tally.wrong.add(1, ordering: .relaxed) }
      }
      withExtendedLifetime(pin) {}
    }
    tally.ended.add(1, ordering: .releasing)
  }

  /// A stream as text makes it: few n-grams often, many once.
  @Test func admissionBeatsLRUOnAZipfStream() {
    let cache = cache(rows: 576)
    var lru = LRU(capacity: cache.capacity)
    var generator = SeededGenerator(seed: 12)
    let grams = SmallPLOT.grams(20_000, seed: 13, vocabulary: 2_000)
    var ours = 0
    var theirs = 0
    var cumulative: [Double] = []
    for rank in 1...grams.count {
      cumulative.append((cumulative.last ?? 0) + 1 / Double(rank))
    }
    for step in 0..<60_000 {
      let target = Double.random(in: 0..<(cumulative.last ?? 1), using: &generator)
      var low = 0
      var high = cumulative.count - 1
      while low < high {
        let middle = (low + high) / 2
        if cumulative[middle] < target { low = middle + 1 } else { high = middle }
      }
      let gram = grams[low]
      let hit = contains(gram, cache)
      let theirHit = lru.access(gram)
      if step >= 20_000 {
        ours += hit ? 1 : 0
        theirs += theirHit ? 1 : 0
      }
      if hit {
        unsafe [gram.plotHash].withUnsafeBufferPointer { unsafe cache.recordIfFree($0) }
      } else {
        admit(gram, to: cache)
      }
    }
    print("Zipf stream: hit rate \(Double(ours) / 40_000), LRU \(Double(theirs) / 40_000)")
    #expect(Double(ours) > 1.05 * Double(theirs))
  }
}

/// Least recently used goes first; the judge.
private struct LRU {
  let capacity: Int
  private var stamps: [NGram: Int] = [:]
  private var order: [Int: NGram] = [:]
  private var oldest = 0
  private var now = 0

  init(capacity: Int) { self.capacity = capacity }

  mutating func access(_ gram: NGram) -> Bool {
    let old = stamps[gram]
    if let old { order[old] = nil }
    now += 1
    stamps[gram] = now
    order[now] = gram
    while stamps.count > capacity {
      if let gone = order.removeValue(forKey: oldest) { stamps[gone] = nil }
      oldest += 1
    }
    return old != nil
  }
}
