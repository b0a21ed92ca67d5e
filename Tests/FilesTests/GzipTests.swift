import Files
import TestSupport
import Testing

@Suite struct GzipTests {
  private struct Enough: Error {}

  private func unpacked(_ packed: [UInt8]) throws -> [UInt8] { try Gzip.unpacked(packed) { _ in } }

  @Test func membersAreOneAfterTheOther() throws {
    let long = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
    for parts in [[Array("a cat".utf8)], [[], Array("a".utf8), long, [], [0]], [long, long]] {
      let packed = parts.flatMap(HandmadeGzip.stored)
      #expect(try unpacked(packed) == parts.flatMap { $0 })
    }
    let spaces = try unpacked(HandmadeGzip.mebibyteOfSpaces)
    #expect(spaces.count == 1 << 20 && spaces.allSatisfy { $0 == 32 })
  }

  /// Whoever counts is asked before anything is kept, and stops it.
  @Test func itStopsWhereItIsToldTo() throws {
    let packed = (0..<50).flatMap { _ in HandmadeGzip.mebibyteOfSpaces }
    var (count, asked) = (0, 0)
    #expect(throws: Enough.self) {
      try Gzip.unpacked(packed) { more in
        #expect(more <= 1 << 16)
        (count, asked) = (count + more, asked + 1)
        if count > 1 << 20 { throw Enough() }
      }
    }
    #expect(count <= (1 << 20) + (1 << 16) && asked < 20)
  }

  @Test func whatIsDamagedIsRefused() throws {
    let good = HandmadeGzip.stored(Array("a cat sat on the mat".utf8))
    var bad: [[UInt8]] = [
      [], [0x1F], Array("a cat".utf8), good + [0], good + Array(good.dropLast()),
    ]
    bad += (1..<good.count).map { Array(good.prefix($0)) }
    // Lengths, bytes, checksum.
    for place in [11, 13, 16, 30, good.count - 6, good.count - 1] {
      var one = good
      one[place] ^= 0x10
      bad.append(one)
    }
    for packed in bad {
      #expect(throws: Gzip.Problem.self, "\(packed)") { try unpacked(packed) }
    }
  }

  @Test func fuzzedBytesAreUnpackedOrRefused() throws {
    Fuzz.run { random, seed in
      var packed = HandmadeGzip.mebibyteOfSpaces.prefix(300) + HandmadeGzip.stored([1, 2, 3])
      packed = random.next() % 2 == 0 ? packed : HandmadeGzip.stored([1, 2, 3])[...]
      var bytes = Array(packed)
      random.mutate(&bytes)
      var count = 0
      do {
        let whole = try Gzip.unpacked(bytes) { count += $0 }
        #expect(whole.count == count, "seed \(seed)")
      } catch { #expect(error is Gzip.Problem, "seed \(seed): \(error)") }
    }
  }
}
