/// How often a key was seen lately, give or take: a count-min sketch (Cormode, Muthukrishnan 2005)
/// with conservative update and ageing, as TinyLFU uses it to decide whom a full cache keeps
/// (Einziger, Friedman, Manes 2017).
///
/// Four rows of 8-bit counters; an estimate is the least of a key's four and never below its true
/// (aged) count, up to 255. After `sampleSize` additions every counter is halved, so what was
/// popular yesterday makes room. One byte a counter: 4 x `width` bytes in all.
struct FrequencySketch: Sendable {
  /// Counters a row, a power of two.
  let width: Int
  /// Additions between two halvings.
  let sampleSize: Int
  private var counters: [UInt8]
  private var additions = 0

  /// For a cache of `capacity` entries: two counters a row for each, and a memory of ten times as
  /// many additions.
  init(capacity: Int) {
    var width = 64
    while width < 2 * capacity { width *= 2 }
    self.width = width
    sampleSize = 10 * max(capacity, 64)
    counters = [UInt8](repeating: 0, count: 4 * width)
  }

  /// Four counters from one hash: row r takes place low + r x odd high (Kirsch, Mitzenmacher 2006).
  private func place(_ hash: UInt64, row: Int) -> Int {
    let step = hash >> 32 | 1
    return row * width + Int(truncatingIfNeeded: hash &+ UInt64(row) &* step) & (width - 1)
  }

  func estimate(_ hash: UInt64) -> Int {
    var least = UInt8.max
    for row in 0..<4 { least = min(least, counters[place(hash, row: row)]) }
    return Int(least)
  }

  mutating func add(_ hash: UInt64) {
    let least = UInt8(estimate(hash))
    guard least < .max else { return count() }
    // Only the counters that hold the estimate down: the others already overstate it.
    for row in 0..<4 {
      let place = place(hash, row: row)
      if counters[place] == least { counters[place] = least + 1 }
    }
    count()
  }

  private mutating func count() {
    additions += 1
    guard additions >= sampleSize else { return }
    additions /= 2
    for place in counters.indices { counters[place] >>= 1 }
  }
}
