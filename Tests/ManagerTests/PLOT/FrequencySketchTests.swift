import TestSupport
import Testing

@testable import Manager

struct FrequencySketchTests {
  @Test func estimatesAreNeverTooLowAndSeldomTooHigh() {
    var sketch = FrequencySketch(capacity: 1_000)
    var generator = SeededGenerator(seed: 5)
    let hashes = (0..<1_000).map { _ in generator.next() }
    var counts = [Int](repeating: 0, count: hashes.count)
    for _ in 0..<sketch.sampleSize - 1 {
      let i = Int.random(in: 0..<hashes.count, using: &generator)
      counts[i] += 1
      sketch.add(hashes[i])
    }
    var tooHigh = 0
    for (hash, count) in zip(hashes, counts) {
      #expect(sketch.estimate(hash) >= min(count, 255))
      if sketch.estimate(hash) > count { tooHigh += 1 }
    }
    #expect(tooHigh < 100)
    #expect((0..<1_000).count { _ in sketch.estimate(generator.next()) > 12 } < 50)
  }

  @Test func countersStopAt255() {
    var sketch = FrequencySketch(capacity: 64)
    for _ in 0..<400 { sketch.add(77) }
    #expect(sketch.estimate(77) == 255)
  }

  @Test func ageHalvesWhatWasPopular() {
    var sketch = FrequencySketch(capacity: 64)
    for _ in 0..<100 { sketch.add(77) }
    for i in 100..<sketch.sampleSize { sketch.add(UInt64(i % 7)) }
    #expect(sketch.estimate(77) == 50)
    var generator = SeededGenerator(seed: 6)
    for _ in 0..<10 * sketch.sampleSize { sketch.add(generator.next()) }
    #expect(sketch.estimate(77) < 20)
  }
}
