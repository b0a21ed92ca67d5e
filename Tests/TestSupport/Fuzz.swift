import Foundation

/// Bounds a fuzz test by time: 2 seconds unless `VBERT_FUZZ_SECONDS` says otherwise (CI: 60).
///
/// A test that calls `run` holds its thread for as long, and there are as many threads as cores: its
/// name begins with "fuzzed", by which `scripts/test` runs it after the tests that wait for others.
///
/// Every run starts at another seed, which the failing iteration's message should carry;
/// `VBERT_FUZZ_SEED` repeats it.
package enum Fuzz {
  package static var seconds: Double { number("VBERT_FUZZ_SECONDS") ?? 2 }

  /// Calls `body` with a fresh generator and its seed until the time is up; at least once.
  package static func run(_ body: (inout SeededGenerator, _ seed: UInt64) throws -> Void) rethrows {
    let end = ContinuousClock.now + .seconds(seconds)
    var seed = number("VBERT_FUZZ_SEED").map { UInt64($0) } ?? UInt64.random(in: 0..<1 << 48)
    repeat {
      var generator = SeededGenerator(seed: seed)
      try body(&generator, seed)
      seed += 1
    } while ContinuousClock.now < end
  }

  private static func number(_ variable: String) -> Double? {
    ProcessInfo.processInfo.environment[variable].flatMap(Double.init).flatMap {
      $0 >= 0 && $0 < 0x1p53 ? $0 : nil
    }
  }
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same numbers on every machine.
package struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// `count` bytes; a mix of printable ASCII, whole UTF-8 characters and noise, so that parsers get
  /// past their first check often enough.
  package mutating func bytes(count: Int) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 4)
    while bytes.count < count {
      switch UInt8.random(in: 0..<8, using: &self) {
      case 0: bytes.append(.random(in: 0...255, using: &self))
      case 1, 2:
        if let scalar = Unicode.Scalar(UInt32.random(in: 0...0x10FFFF, using: &self) >> scale()) {
          bytes.append(contentsOf: String(Character(scalar)).utf8)
        }
      default: bytes.append(.random(in: 32..<127, using: &self))
      }
    }
    return Array(bytes.prefix(count))
  }

  private mutating func scale() -> UInt32 { .random(in: 0...10, using: &self) }

  /// Changes, removes, inserts or repeats a few bytes of valid input.
  package mutating func mutate(_ bytes: inout [UInt8]) {
    for _ in 0..<Int.random(in: 1...8, using: &self) {
      let place = Int.random(in: 0...bytes.count, using: &self)
      switch Int.random(in: 0..<4, using: &self) {
      case 0 where place < bytes.count: bytes[place] = .random(in: 0...255, using: &self)
      case 1 where place < bytes.count: bytes.remove(at: place)
      case 2:
        let length = Int.random(in: 0...8, using: &self)
        bytes.insert(contentsOf: self.bytes(count: length), at: place)
      default:
        let end = Swift.min(bytes.count, place + Int.random(in: 0...16, using: &self))
        bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
      }
    }
  }
}
