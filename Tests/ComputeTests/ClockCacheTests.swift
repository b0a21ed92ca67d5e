import Compute
import Testing

@Suite struct ClockCacheTests {
  @Test func whatIsAskedForStays() {
    var cache = ClockCache<Int, Int>(bound: 3)
    for key in 1...3 { _ = cache.insert(key * 10, for: key, cost: 1) }
    #expect(cache.value(for: 1) == 10)
    #expect(cache.insert(40, for: 4, cost: 1) == [20])
    #expect(cache.value(for: 1) == 10)
    #expect(cache.value(for: 2) == nil)
    #expect(cache.cost == 3)
  }

  @Test func valuesAreReplacedAndRemoved() {
    var cache = ClockCache<Int, String>(bound: 10)
    _ = cache.insert("a", for: 1, cost: 4)
    #expect(cache.insert("b", for: 1, cost: 6) == ["a"])
    #expect(cache.cost == 6)
    #expect(cache.remove(1) == "b")
    #expect(cache.remove(1) == nil)
    #expect(cache.cost == 0)
    #expect(cache.insert("too big", for: 2, cost: 11).isEmpty)
    #expect(cache.value(for: 2) == nil)
  }

  @Test func roomIsMadeBeforeWhatNeedsItIsThere() {
    var cache = ClockCache<Int, Int>(bound: 4)
    for key in 1...4 { _ = cache.insert(key, for: key, cost: 1, wanted: key < 3) }
    #expect(cache.makeRoom(for: 0).isEmpty)
    #expect(cache.makeRoom(for: 2) == [3, 4])
    #expect(cache.cost == 2 && cache.count == 2)
    // More than the bound: all there is, and no more.
    #expect(Set(cache.makeRoom(for: 9)) == [1, 2] && cache.count == 0)
  }

  /// Against a dictionary, under random operations: never a wrong value, never above the bound, and
  /// what went in is either held or was handed back.
  @Test func agreesWithADictionary() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<50 {
      let bound = Int.random(in: 1...40, using: &random)
      var cache = ClockCache<Int, Int>(bound: bound)
      var held: [Int: (value: Int, cost: Int)] = [:]
      for step in 0..<500 {
        let key = Int.random(in: 0..<20, using: &random)
        switch Int.random(in: 0..<6, using: &random) {
        case 0: #expect(cache.remove(key) == held.removeValue(forKey: key)?.value)
        case 1...2:
          let cost = Int.random(in: 1...10, using: &random)
          let gone = Set(cache.insert(step, for: key, cost: cost))
          held[key] = nil
          held = held.filter { !gone.contains($0.value.value) }
          if cost <= bound { held[key] = (step, cost) }
        default: #expect(cache.value(for: key) == held[key]?.value)
        }
        #expect(cache.cost == held.values.reduce(0) { $0 + $1.cost })
        #expect(cache.cost <= bound && cache.count == held.count)
      }
    }
  }
}
