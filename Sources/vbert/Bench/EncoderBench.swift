import Compute
import Foundation
import Manager
import Model

/// The compute thread's work without the server around it: rows, encoder, adapters, pooling, and the
/// pooled states back on the host.
final class EncoderBench {
  let backend: any Backend
  let tokens: Int
  private let model: BaseModel
  private let upper: UpperEncoder
  private let lookup: NGramLookup?
  private let batches: [PackedBatch]
  private let single: PackedBatch
  private let adapters: [any ResidentAdapter]
  private let pooling: Pooling
  private var next = 0

  struct Texts: Decodable {
    var batches: [[[Int32]]]
    var single: [Int32]
  }

  init(
    base: Base, texts: Texts, backend: any Backend, adapters: Int, spec: AdapterSpec,
    pooling: Pooling
  ) throws {
    func packed(_ rows: [[Int32]]) throws -> PackedBatch {
      try PackedBatch(rows.map { ($0, $0.map { _ in 0 }) }, for: base.configuration)
    }
    let configuration = base.configuration
    let hidden = configuration.hiddenSize
    self.backend = backend
    self.pooling = pooling
    model = try BaseModel(source: base.weights, configuration: configuration, backend: backend)
    batches = try texts.batches.map(packed)
    single = try packed([texts.single])
    tokens = batches.reduce(0) { $0 + $1.layout.rows }
    upper = try UpperEncoder(
      base: model, backend: backend,
      tokenBudget: max(texts.single.count, batches.map(\.layout.rows).max() ?? 0),
      extraBytes: Workspace.bytes(rows: batches.map(\.layout.count).max() ?? 1, columns: hidden))
    lookup =
      configuration.isSkip
      ? NGramLookup(
        store: try base.openPLOT(
          cacheBytes: 1 << 30, tell: { ProgressLine.warn("\($0)") }),
        computer: try LocalEncoder(base: model, backend: backend)) : nil
    var generator = SystemRandomNumberGenerator()
    // The same numbers in memory of their own, so that every vBERT is read from where it lies.
    let parameters = HostAdapter.random(spec, configuration: configuration, using: &generator)
    self.adapters = try (0..<adapters).map { _ in try backend.load(parameters) }
  }

  /// Seconds for all batches.
  @discardableResult func encodeAll() throws -> Double {
    let start = ContinuousClock.now
    for batch in batches { try encode(batch) }
    return (.now - start) / .seconds(1)
  }

  /// Seconds of each call for the single text.
  func encodeSingle(repeats: Int) throws -> [Double] {
    try (0..<repeats).map { _ in
      let start = ContinuousClock.now
      try encode(single)
      return (.now - start) / .seconds(1)
    }
  }

  /// Of every text, batch after batch, each of length 1.
  func embeddings() throws -> [[Float]] {
    try batches.flatMap { batch in
      let pooled = try encode(batch)
      let hidden = pooled.count / batch.layout.count
      return stride(from: 0, to: pooled.count, by: hidden).map { first in
        let vector = pooled[first..<first + hidden]
        let norm = vector.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return vector.map { $0 / norm }
      }
    }
  }

  /// Pooled states, [sequences, hidden].
  @discardableResult
  private func encode(_ batch: PackedBatch) throws -> [Float] {
    let rows = try lookup?.rows(for: batch.grams, mode: .exact)
    let sequences = try backend.place(batch.layout)
    let chosen = (adapters.isEmpty ? 0..<0 : 0..<batch.layout.count).map { _ in
      next = (next + 1) % adapters.count
      return adapters[next]
    }
    func groups(_ rows: (Int) -> Range<Int>) throws -> (any PlacedGroups)? {
      guard !chosen.isEmpty else { return nil }
      return try backend.place(
        chosen.enumerated().map { RowGroup(rows: rows($0), adapter: $1) })
    }
    let all = try groups(batch.layout.rows)
    let pooled: Tensor
    if pooling == .cls {
      pooled = try upper.firstStates(
        of: batch, rows: rows?.rows, sequences: sequences, groups: all,
        firstGroups: groups { $0..<$0 + 1 })
    } else {
      let states = try upper.states(
        of: batch, rows: rows?.rows, sequences: sequences, groups: all)
      pooled = upper.workspace.take(rows: batch.layout.count, columns: states.columns)
      try backend.pool(states, sequences: sequences, pooling: pooling, into: pooled)
    }
    var vectors = [Float](repeating: 0, count: pooled.count)
    try unsafe vectors.withUnsafeMutableBufferPointer {
      try unsafe backend.download(pooled, into: $0)
    }
    return withExtendedLifetime(rows) { vectors }
  }
}

extension HostAdapter {
  /// Parameters as a trained adapter's would be in size, not in meaning.
  static func random(
    _ spec: AdapterSpec, configuration: Configuration,
    using generator: inout some RandomNumberGenerator
  ) -> HostAdapter {
    let hidden = configuration.hiddenSize
    func matrix(_ outputs: Int, _ inputs: Int, bias: Bool) -> HostMatrix {
      func values(_ count: Int) -> [Float] {
        (0..<count).map { _ in Float.random(in: -0.02...0.02, using: &generator) }
      }
      return HostMatrix(
        weight: values(outputs * inputs), bias: bias ? values(outputs) : nil, outputs: outputs,
        inputs: inputs)
    }
    switch spec {
    case .none: return HostAdapter()
    case .bottleneck(let width, let sites):
      return HostAdapter(
        bottlenecks: configuration.upperLayers.flatMap { layer in
          sites.map {
            Bottleneck(
              layer: layer, site: $0, down: matrix(width, hidden, bias: true),
              up: matrix(hidden, width, bias: true))
          }
        })
    case .lora(let rank, let alpha, let targets):
      return HostAdapter(
        lowRanks: configuration.upperLayers.flatMap { layer in
          targets.map { target in
            let (inputs, outputs) = target.shape(configuration)
            return LowRank(
              layer: layer, target: target, a: matrix(rank, inputs, bias: false),
              b: matrix(outputs, rank, bias: false), scale: alpha / Float(rank))
          }
        })
    }
  }
}
