import Compute
import ComputeCPU
import Foundation
import Model

struct Work: Decodable {
  /// Batches of rows of token ids.
  var batches: [[[Int32]]]
  var single: [Int32]
}

/// One dense and one skip encoder, and the batches as both want them.
final class Run {
  let name: String
  let tokens: Int
  private let backend: CPUBackend
  private let upper: UpperEncoder
  private let skipping: UpperEncoder
  private let batches: [PackedBatch]
  private let one: PackedBatch
  private let hidden: Int
  private let pooled: DeviceBuffer
  private var vBERTs: [any ResidentAdapter] = []
  private let rows: StoredRows
  private var next = 0

  init(model: URL, work: Work, threads: Int) throws {
    backend = try CPUBackend(threads: threads)
    name = backend.name
    let json = try Data(contentsOf: model.appending(path: "config.json"))
    var configuration = try Configuration(json: json)
    let source = try SafetensorsFile(path: model.appending(path: "model.safetensors").path)
    hidden = configuration.hiddenSize
    batches = work.batches.map { Self.pack($0) }
    one = Self.pack([work.single])
    tokens = batches.reduce(0) { $0 + $1.layout.rows }
    let budget = batches.map(\.layout.rows).max() ?? 512
    let base = try BaseModel(source: source, configuration: configuration, backend: backend)
    upper = try UpperEncoder(base: base, backend: backend, tokenBudget: budget)
    configuration.skipDepth = 2
    let skipBase = try BaseModel(
      source: Undistilled(base: source, hidden: hidden), configuration: configuration,
      backend: backend)
    skipping = try UpperEncoder(base: skipBase, backend: backend, tokenBudget: budget)
    rows = StoredRows(grams: batches.map(\.grams), hidden: hidden)
    pooled = try backend.allocate(byteCount: 1024 * hidden * 4)
  }

  private static func pack(_ rows: [[Int32]]) -> PackedBatch {
    PackedBatch(
      sequences: rows.map { (ids: $0, types: [Int32](repeating: 0, count: $0.count)) })
  }

  private func seconds(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let time = try clock.measure(body)
    return Double(time.components.seconds) + Double(time.components.attoseconds) / 1e18
  }

  /// Token states of every batch once.
  func dense() throws -> Double {
    try seconds { for batch in batches { try states(batch) } }
  }

  /// Milliseconds for the one text.
  func single() throws -> Double { try seconds { try states(one) } * 1e3 }

  private func states(_ batch: PackedBatch) throws {
    _ = try upper.states(of: batch, sequences: backend.place(batch.layout))
  }

  /// The mean-pooled, normalised embedding of the first row.
  func first() throws -> [Double] {
    let ids = Array(batches[0].ids[batches[0].layout.rows(of: 0)])
    let batch = Self.pack([ids])
    let sequences = try backend.place(batch.layout)
    let out = pooled.tensor(rows: 1, columns: hidden)
    try backend.pool(
      upper.states(of: batch, sequences: sequences), sequences: sequences, pooling: .mean,
      into: out)
    var values = [Float](repeating: 0, count: hidden)
    try unsafe values.withUnsafeMutableBufferPointer { values throws(ComputeError) in
      try unsafe backend.download(out, into: values)
    }
    let norm = values.reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    return values.map { Double($0) / norm }
  }

  /// Every batch once from stored rows on, `each` vBERTs a batch, `total` in rotation, with a
  /// bottleneck of width 64 after the attention of every upper layer, and a head.
  func skip(each: Int, of total: Int) throws -> Double {
    while vBERTs.count < total { vBERTs.append(try backend.load(adapter(vBERTs.count))) }
    return try seconds {
      for (i, batch) in batches.enumerated() {
        let sequences = try backend.place(batch.layout)
        let groups = try backend.place(groups(batch.layout, each: each, of: total))
        let states = try skipping.states(
          of: batch, rows: rows.batches[i], sequences: sequences, groups: groups)
        try backend.pool(
          states, sequences: sequences, pooling: .mean,
          into: pooled.tensor(rows: batch.layout.count, columns: hidden))
      }
    }
  }

  /// Nearly as many sequences for each vBERT.
  private func groups(_ layout: SequenceLayout, each: Int, of total: Int) -> [RowGroup] {
    let count = min(each, layout.count)
    if count == 0 { return [] }
    return (0..<count).map { i in
      let from = Int(layout.offsets[layout.count * i / count])
      let to = Int(layout.offsets[layout.count * (i + 1) / count])
      next = (next + 1) % total
      return RowGroup(rows: from..<to, adapter: vBERTs[next])
    }
  }

  private func adapter(_ seed: Int) -> HostAdapter {
    var state = UInt32(seed + 1)
    func noise(_ outputs: Int, _ inputs: Int) -> HostMatrix {
      let values = (0..<outputs * inputs).map { _ -> Float in
        state = state &* 1_664_525 &+ 1_013_904_223
        return (Float(state >> 8) / Float(1 << 23) - 1) * 0.02
      }
      return HostMatrix(
        weight: values, bias: Array(values.prefix(outputs)), outputs: outputs, inputs: inputs)
    }
    return HostAdapter(
      bottlenecks: (2..<6).map {
        HostAdapter.Bottleneck(
          layer: $0, site: .attention, down: noise(64, hidden), up: noise(hidden, 64))
      }, head: noise(4, hidden))
  }
}
