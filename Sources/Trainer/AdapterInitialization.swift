internal import Compute
package import Model

/// A fresh adapter: it changes nothing yet, since `up` of a bottleneck and B of a LoRA are zero; the
/// other matrices are uniform in +-1 / sqrt(inputs), biases zero.
package enum AdapterInitialization {
  package static func tensors(_ spec: VBertSpec, base: Configuration, seed: UInt64)
    -> MemoryTensors
  {
    var random = SplitMix(seed: seed)
    var tensors = MemoryTensors()
    for (name, shape) in AdapterFile.layout(spec, base: base) {
      var values = [Float](repeating: 0, count: shape.reduce(1, *))
      let isZero = name.hasSuffix(".up.weight") || name.hasSuffix(".B") || shape.count == 1
      if !isZero {
        let bound = 1 / Float(shape[1]).squareRoot()
        for i in values.indices { values[i] = (2 * random.nextFloat() - 1) * bound }
      }
      tensors.set(name, shape: shape, values)
    }
    return tensors
  }
}

/// SplitMix64 (Steele, Lea, Flood 2014): small, and the same numbers on every machine.
package struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  /// In 0 ..< 1.
  mutating func nextFloat() -> Float { Float(next() >> 40) * 0x1p-24 }

  /// 0 ..< count in random order (Fisher and Yates); the standard library's shuffle may change.
  package mutating func permutation(_ count: Int) -> [Int] {
    var order = Array(0..<count)
    for i in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(i, Int(next().multipliedFullWidth(by: UInt64(i + 1)).high))
    }
    return order
  }
}
