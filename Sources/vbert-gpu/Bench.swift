import Compute
import ComputeCUDA
import Dispatch
import Foundation
import Model

/// Sequences a second as REFERENCE.md's table counts them: BERT-base shape, random weights, six upper
/// layers, n-gram rows and 10,000 adapters of width 64 resident on the GPU, every request another
/// vBERT. Inputs start on the host; each figure is the median of three runs.
final class Bench {
  let device: CUDADevice
  let lane: CUDABackend
  private var tenants: [any ResidentAdapter] = []
  var residents: [any ResidentAdapter] { tenants }
  private var plot: DeviceBuffer?

  init(_ device: CUDADevice) throws {
    self.device = device
    lane = try CUDABackend(device: device)
  }

  func run(short: Bool) throws -> Int32 {
    print("\(lane.name), \(try device.freeBytes() >> 30) GiB free")
    let base = try Model(.base, lane: lane, tokenBudget: 1024 * 128)
    try measure("BERT-base", base, vBERTs: short ? 2_000 : 10_000, lengths: [128])
    try phases(base)
    if !short {
      let miniLM = try Model(.miniLM, lane: lane, tokenBudget: 1024 * 128)
      try measure("MiniLM", miniLM, vBERTs: 1_000, lengths: [32, 128])
    }
    return 0
  }

  /// A model on the lane with its encoder.
  final class Model {
    let configuration: Configuration
    let base: BaseModel
    let upper: UpperEncoder

    init(_ configuration: Configuration, lane: CUDABackend, tokenBudget: Int) throws {
      self.configuration = configuration
      base = try BaseModel(
        source: RandomWeights(configuration: configuration), configuration: configuration,
        backend: lane)
      upper = try UpperEncoder(
        base: base, backend: lane, tokenBudget: tokenBudget, extraBytes: 64 << 20)
    }
  }

  /// Loads `count` vBERTs, eight at a time, made from sixteen sets of numbers.
  private func load(_ count: Int, _ configuration: Configuration) throws {
    let start = ContinuousClock.now
    tenants = []
    let hidden = configuration.hiddenSize
    let sources = (0..<16).map { i in
      let r = Runner(lane, seed: UInt64(i + 1))
      return HostAdapter(
        bottlenecks: configuration.upperLayers.map {
          .init(
            layer: $0, site: .attention, down: r.matrix(64, hidden, scale: 0.05),
            up: r.matrix(hidden, 64, scale: 0.05))
        }, head: r.matrix(2, hidden))
    }
    let lanes = try (0..<8).map { _ in try CUDABackend(device: device) }
    let loaded = Collected()
    DispatchQueue.concurrentPerform(iterations: 8) { i in
      for n in stride(from: i, to: count, by: 8) {
        do { loaded.add(try lanes[i].load(sources[n % 16])) } catch { loaded.fail("\(error)") }
      }
    }
    tenants = try loaded.finish()
    let bytes = tenants.reduce(0) { $0 + $1.byteCount }
    print("\(count) vBERTs, \(bytes >> 20) MiB in pages, loaded in \(ContinuousClock.now - start)")
  }

  /// Adapters from several threads.
  private final class Collected: @unchecked Sendable {
    private let lock = NSLock()
    private var adapters: [any ResidentAdapter] = []
    private var problem: String?

    func add(_ adapter: any ResidentAdapter) { lock.withLock { adapters.append(adapter) } }
    func fail(_ text: String) { lock.withLock { problem = text } }
    func finish() throws -> [any ResidentAdapter] {
      if let problem { throw ComputeError.device(problem) }
      return adapters
    }
  }

  /// `count` n-gram rows in bf16 on the device: a block of noise, repeated.
  private func rows(_ count: Int, hidden: Int) throws -> UInt {
    let buffer = try lane.allocate(byteCount: count * 3 * hidden * 2)
    let block = buffer.tensor(rows: 4096, columns: 3 * hidden, type: .bfloat16)
    let noise = Runner(lane, seed: 5).noise(block.count)
    unsafe try noise.withUnsafeBufferPointer { unsafe try lane.upload($0, to: block) }
    for first in stride(from: 4096, through: count - 4096, by: 4096) {
      try lane.copy(
        block,
        to: buffer.tensor(
          rows: 4096, columns: 3 * hidden, type: .bfloat16, offset: first * 3 * hidden * 2))
    }
    try lane.finish()
    let address = buffer.address
    plot = consume buffer
    return address
  }

  /// What one batch is made of on the host.
  struct Input {
    var batch: PackedBatch
    var rows: [NGramRow]
    var groups: [RowGroup]
    var headGroups: [RowGroup]
  }

  func inputs(
    _ size: Int, length: Int, hidden: Int, plot: UInt, rows: Int, adapters: Bool
  ) -> [Input] {
    (0..<4).map { n in
      let r = Runner(lane, seed: UInt64(size * 10 + n))
      let ids = [Int32](repeating: 1, count: length)
      let batch = PackedBatch(
        sequences: (0..<size).map { _ in (ids, [Int32](repeating: 0, count: length)) })
      let chosen = (0..<size).map { _ in tenants[r.whole(below: tenants.count)] }
      return Input(
        batch: batch,
        rows: (0..<size * length).map { _ in
          NGramRow(
            address: plot + UInt(r.whole(below: rows) * 3 * hidden * 2), type: .bfloat16)
        },
        groups: adapters
          ? chosen.enumerated().map { RowGroup(rows: batch.layout.rows(of: $0), adapter: $1) } : [],
        headGroups: chosen.enumerated().map { RowGroup(rows: $0..<$0 + 1, adapter: $1) })
    }
  }

  /// One batch, from host inputs to scores on the device.
  func start(_ input: Input, _ model: Model) throws(ComputeError) -> Tensor {
    let sequences = try lane.place(input.batch.layout)
    let x = try model.upper.states(
      of: input.batch, rows: input.rows, sequences: sequences,
      groups: input.groups.isEmpty ? nil : lane.place(input.groups))
    let workspace = model.upper.workspace
    let size = input.batch.layout.count
    let pooled = workspace.take(rows: size, columns: x.columns, type: .float32)
    try lane.pool(x, sequences: sequences, pooling: .cls, into: pooled)
    let scores = workspace.take(rows: size, columns: 2, type: .float32)
    try lane.applyHeads(pooled, groups: lane.place(input.headGroups), into: scores)
    return scores
  }

  private func measure(_ name: String, _ model: Model, vBERTs: Int, lengths: [Int]) throws {
    let hidden = model.configuration.hiddenSize
    try load(vBERTs, model.configuration)
    let rowCount = 2_000_000 / 4096 * 4096
    let address = try rows(rowCount, hidden: hidden)
    for length in lengths {
      for size in [1, 32, 256, 1024] {
        for adapters in [true, false] {
          let inputs = inputs(
            size, length: length, hidden: hidden, plot: address, rows: rowCount, adapters: adapters)
          try time(
            "\(name) length \(length) batch \(size) \(adapters ? "\(vBERTs) vBERTs" : "no adapters")",
            inputs, model, size: size, length: length)
        }
      }
    }
  }

  private func time(_ name: String, _ inputs: [Input], _ model: Model, size: Int, length: Int)
    throws
  {
    for input in inputs.prefix(3) { _ = try start(input, model) }
    try lane.finish()
    let batches = max(5, 20_000 / size)
    var seconds: [Double] = []
    for _ in 0..<3 {
      let start = ContinuousClock.now
      for n in 0..<batches { _ = try self.start(inputs[n % 4], model) }
      try lane.finish()
      seconds.append((ContinuousClock.now - start) / .seconds(1) / Double(batches))
    }
    var latency: [Double] = []
    var scores = [Float](repeating: 0, count: size * 2)
    for n in 0..<(size == 1 ? 500 : 10) {
      let start = ContinuousClock.now
      let tensor = try self.start(inputs[n % 4], model)
      unsafe try scores.withUnsafeMutableBufferPointer {
        unsafe try lane.download(tensor, into: $0)
      }
      latency.append((ContinuousClock.now - start) / .milliseconds(1))
    }
    let median = seconds.sorted()[1]
    let finite = scores.allSatisfy(\.isFinite) ? "" : "  NOT FINITE"
    print(
      String(
        format:
          "%@: %.0f sequences/s, %.2f M tokens/s, %.3f ms; host to host %.3f ms (best %.3f)%@",
        name, Double(size) / median, Double(size * length) / median / 1e6, median * 1e3,
        latency.sorted()[latency.count / 2], latency.min() ?? 0, finite))
  }
}
