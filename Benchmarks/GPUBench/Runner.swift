package import Compute

/// One backend with tensors of its own, fed with seeded noise: two runners of one seed on two
/// backends see the same numbers. All noise is rounded to bf16, so that no backend starts with an
/// advantage.
package final class Runner {
  package let backend: any Backend
  private var random: Noise
  private var workspaces: [Workspace] = []

  package init(_ backend: any Backend, seed: UInt64) {
    self.backend = backend
    random = Noise(seed: seed)
  }

  package func next() -> UInt64 { random.next() }

  package func whole(below limit: Int) -> Int { random.whole(below: limit) }

  /// Values in -1 ..< 1 times `scale`.
  package func noise(_ count: Int, scale: Float = 1) -> [Float] {
    (0..<count).map { _ in Runner.rounded((Float(next()) / Float(1 << 30) - 1) * scale) }
  }

  package static func rounded(_ value: Float) -> Float {
    let bits = value.bitPattern
    return Float(bitPattern: (bits &+ 0x7FFF &+ (bits >> 16 & 1)) & 0xFFFF_0000)
  }

  package func matrix(_ outputs: Int, _ inputs: Int, bias: Bool = true, scale: Float? = nil)
    -> HostMatrix
  {
    let scale = scale ?? 2 / Float(inputs).squareRoot()
    return HostMatrix(
      weight: noise(outputs * inputs, scale: scale), bias: bias ? noise(outputs) : nil,
      outputs: outputs, inputs: inputs)
  }

  package func tensor(_ values: [Float], columns: Int, type: ElementType) throws -> Tensor {
    let rows = values.count / columns
    let workspace = try Workspace(
      backend: backend,
      byteCount: max(64, Workspace.bytes(rows: rows, columns: columns, type: type)))
    workspaces.append(workspace)
    let tensor = workspace.take(rows: rows, columns: columns, type: type)
    unsafe try values.withUnsafeBufferPointer { unsafe try backend.upload($0, to: tensor) }
    return tensor
  }

  /// An activation.
  package func state(_ values: [Float], columns: Int) throws -> Tensor {
    try tensor(values, columns: columns, type: backend.activationType)
  }

  package func floats(_ values: [Float], columns: Int) throws -> Tensor {
    try tensor(values, columns: columns, type: .float32)
  }

  /// An activation full of NaN: what an operation forgets to write is seen.
  package func poisoned(rows: Int, columns: Int) throws -> Tensor {
    try state([Float](repeating: .nan, count: rows * columns), columns: columns)
  }

  package func read(_ tensor: Tensor) throws -> [Float] { try backend.floats(of: tensor) }

  package func norm(_ width: Int) throws -> Normalization {
    Normalization(
      gamma: try floats(noise(width).map { $0 + 1 }, columns: width),
      beta: try floats(noise(width), columns: width), epsilon: 1e-12)
  }
}

/// ||a - b|| / ||b||; infinite where a value is not a number or the counts differ.
package func relativeError(_ a: [Float], _ b: [Float]) -> Double {
  guard a.count == b.count else { return .infinity }
  var (error, size) = (0.0, 0.0)
  for (x, y) in zip(a, b) {
    error += (Double(x) - Double(y)) * (Double(x) - Double(y))
    size += Double(y) * Double(y)
  }
  let result = (error / max(size, 1e-30)).squareRoot()
  return result.isNaN ? .infinity : result
}

/// Whether no bit differs.
package func areIdentical(_ a: [Float], _ b: [Float]) -> Bool {
  a.count == b.count && zip(a, b).allSatisfy { $0.bitPattern == $1.bitPattern }
}

/// Seeded pseudo-random numbers (the multiplier is Knuth's MMIX).
package struct Noise {
  private var state: UInt64

  package init(seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 }

  package mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state >> 33
  }

  package mutating func whole(below limit: Int) -> Int { Int(next() % UInt64(limit)) }
}

extension Backend {
  func floats(of tensor: Tensor) throws(ComputeError) -> [Float] {
    var values = [Float](repeating: 0, count: tensor.count)
    unsafe try values.withUnsafeMutableBufferPointer { values throws(ComputeError) in
      unsafe try download(tensor, into: values)
    }
    return values
  }
}
