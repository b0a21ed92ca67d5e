import Compute
import ComputeCPU
import Foundation
import Model
import TestSupport

/// A checkpoint put together from several files, some tensors under other names.
struct Checkpoint: TensorSource {
  var tensors = MemoryTensors()

  /// Adds what `file` holds, but for names that `rename` maps to nil.
  mutating func add(_ file: SafetensorsFile, rename: (String) -> String? = { $0 }) throws {
    for name in file.names {
      guard let new = rename(name) else { continue }
      tensors.set(new, shape: try file.shape(name), try file.floats(name))
    }
  }

  func shape(_ name: String) throws -> [Int] { try tensors.shape(name) }
  func floats(_ name: String) throws -> [Float] { try tensors.floats(name) }

  /// The goldens' plainer names of what a skip base has, in SkipBERT's.
  static let skipNames = [
    "skip.gate.weight": "attn.weight", "skip.gate.bias": "attn.bias",
    "skip.position_embeddings.weight": "embeddings.position_embeddings2.weight",
    "skip.token_type_embeddings.weight": "embeddings.token_type_embeddings2.weight",
    "skip.LayerNorm.weight": "norm.weight", "skip.LayerNorm.bias": "norm.bias",
  ]

  /// The local positions are rows 0..2 of an ordinary table of `positions` rows.
  mutating func addLocalPositions(_ file: SafetensorsFile, positions: Int) throws {
    let rows = try file.floats("skip.local_position_embeddings.weight")
    let hidden = rows.count / 3
    tensors.set(
      "embeddings.position_embeddings.weight", shape: [positions, hidden],
      rows + [Float](repeating: 0, count: (positions - 3) * hidden))
  }
}

/// Runs packed batches through a base as the pipeline does, but with all rows computed in fp32.
final class GoldenRunner {
  let base: BaseModel
  let backend: CPUBackend
  let upper: UpperEncoder
  let local: LocalEncoder?

  init(
    _ source: any TensorSource, _ configuration: Configuration, precision: Precision = .fp32,
    instructionSet: InstructionSet = .best
  ) throws {
    backend = try CPUBackend(threads: 2, instructionSet: instructionSet, precision: precision)
    base = try BaseModel(source: source, configuration: configuration, backend: backend)
    upper = try UpperEncoder(base: base, backend: backend, tokenBudget: 4096)
    local = configuration.isSkip ? try LocalEncoder(base: base, backend: backend, chunk: 64) : nil
  }

  /// Values of every state, [rows, hidden] each: 0 is what enters the first computed layer.
  func states(
    _ batch: PackedBatch, grams: [NGram]? = nil, groups: [RowGroup]? = nil
  ) throws -> [[Float]] {
    var states: [[Float]] = []
    try withRows(grams ?? batch.grams) { rows in
      _ = try upper.states(
        of: batch, rows: rows, sequences: try backend.place(batch.layout),
        groups: try groups.map { groups throws(ComputeError) in try backend.place(groups) }
      ) { _, x throws(ComputeError) in
        states.append(try self.values(x))
      }
    }
    return states
  }

  /// The final states of every sequence's first row, computed without the others.
  func firstStates(_ batch: PackedBatch, groups: [RowGroup]) throws -> [Float] {
    let single = groups.enumerated().map { RowGroup(rows: $0..<$0 + 1, adapter: $1.adapter) }
    return try withRows(batch.grams) { rows in
      try values(
        upper.firstStates(
          of: batch, rows: rows, sequences: try backend.place(batch.layout),
          groups: try backend.place(groups), firstGroups: try backend.place(single)))
    }
  }

  /// `body` gets the rows that the local layers make of `grams`.
  private func withRows<Result>(_ grams: [NGram], _ body: ([NGramRow]) throws -> Result) throws
    -> Result
  {
    let width = 3 * base.configuration.hiddenSize
    var rows = [Float](repeating: 0, count: local == nil ? 0 : grams.count * width)
    try unsafe rows.withUnsafeMutableBufferPointer { unsafe try local?.compute(grams, into: $0) }
    return try unsafe rows.withUnsafeBufferPointer { rows in
      let start = UInt(bitPattern: rows.baseAddress)
      return try body(
        grams.indices.map { NGramRow(address: start + UInt($0 * width * 4), type: .float32) })
    }
  }

  func values(_ x: Tensor) throws(ComputeError) -> [Float] {
    var values = [Float](repeating: .nan, count: x.count)
    try unsafe values.withUnsafeMutableBufferPointer { values throws(ComputeError) in
      unsafe try backend.download(x, into: values)
    }
    return values
  }
}

/// Largest absolute difference; infinite where the counts differ or a value is not a number.
func largestDifference(_ a: some Collection<Float>, _ b: some Collection<Float>) -> Float {
  guard a.count == b.count else { return .infinity }
  return zip(a, b).reduce(0) { largest, pair in
    let difference = abs(pair.0 - pair.1)
    return difference.isNaN ? .infinity : max(largest, difference)
  }
}

extension NGram {
  /// Of a list of three ids, where the goldens have 0 for none.
  init(golden ids: [Int32]) {
    let ids = ids.map { $0 == 0 ? NGram.none : $0 }
    self.init(ids[0], ids[1], ids[2])
  }
}
