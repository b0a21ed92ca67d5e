import Compute
import ComputeCPU
import TestSupport
import Testing

/// A backend under test with its tensors: inputs from seeded noise, outputs poisoned with NaN, so
/// that a value which an operation forgets to write cannot pass.
final class Bench {
  let backend: any Backend
  private var workspaces: [Workspace] = []
  private var random: SeededGenerator

  init(_ backend: any Backend, seed: UInt64 = 1) {
    self.backend = backend
    random = SeededGenerator(seed: seed)
  }

  /// Values in -1 ..< 1 times `scale`.
  func noise(_ count: Int, scale: Float = 1) -> [Float] {
    (0..<count).map { _ in (Float(random.next() >> 40) / Float(1 << 23) - 1) * scale }
  }

  func whole(below limit: Int) -> Int { Int(random.next() % UInt64(limit)) }

  func tensor(
    _ values: [Float], rows: Int, columns: Int, type: ElementType = .float32
  ) throws -> Tensor {
    let workspace = try Workspace(
      backend: backend,
      byteCount: max(64, Workspace.bytes(rows: rows, columns: columns, type: type)))
    workspaces.append(workspace)
    let tensor = workspace.take(rows: rows, columns: columns, type: type)
    try write(values, to: tensor)
    return tensor
  }

  func write(_ values: [Float], to tensor: Tensor) throws {
    let backend = backend
    let result = unsafe values.withUnsafeBufferPointer { values in
      Result<Void, ComputeError> { () throws(ComputeError) in
        try unsafe backend.upload(values, to: tensor)
      }
    }
    try result.get()
  }

  /// Noise through the matrix and GELU: all rows in one product, and each by itself.
  func togetherAndAlone(
    _ matrix: any Matrix, rows: Int
  ) throws -> (together: [Float], alone: [Float]) {
    let x = try tensor(noise(rows * matrix.inputs), rows: rows, columns: matrix.inputs)
    let together = try poisoned(rows: rows, columns: matrix.outputs)
    let alone = try poisoned(rows: rows, columns: matrix.outputs)
    try backend.matmul(x, matrix, activation: .gelu, into: together)
    for r in 0..<rows {
      try backend.matmul(
        x.rows(r..<r + 1), matrix, activation: .gelu, into: alone.rows(r..<r + 1))
    }
    return (try read(together), try read(alone))
  }

  func poisoned(rows: Int, columns: Int) throws -> Tensor {
    try tensor(
      [Float](repeating: .nan, count: rows * columns), rows: rows, columns: columns)
  }

  func read(_ tensor: Tensor) throws -> [Float] {
    var values = [Float](repeating: 0, count: tensor.count)
    let backend = backend
    let result = unsafe values.withUnsafeMutableBufferPointer { values in
      Result<Void, ComputeError> { () throws(ComputeError) in
        try unsafe backend.download(tensor, into: values)
      }
    }
    try result.get()
    return values
  }
}

/// Backends that every conformance test runs on: each instruction set that this processor has, with
/// one thread and with more threads than most tests have tasks.
struct BackendUnderTest: Sendable, CustomTestStringConvertible {
  let set: InstructionSet
  let threads: Int

  static let all = InstructionSet.supported.flatMap { set in
    [1, 3].map { BackendUnderTest(set: set, threads: $0) }
  }

  var testDescription: String { "\(set.rawValue), \(threads) threads" }

  func bench(seed: UInt64 = 1, precision: Precision = .fp32) throws -> Bench {
    Bench(
      try CPUBackend(threads: threads, instructionSet: set, precision: precision), seed: seed)
  }
}
