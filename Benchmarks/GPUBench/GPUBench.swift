internal import Compute
package import ComputeCUDA
internal import Foundation
internal import Model

/// Sequences a second as REFERENCE-like tables count them: random weights, n-gram rows and adapters of
/// width 64 resident on the GPU, every request another vBERT. Inputs start on the host; each figure is
/// the median of three runs.
package final class GPUBench {
  package struct Options: Sendable {
    /// Sections to run; empty: all.
    package var sections: Set<Section> = []
    /// Resident vBERTs of BERT-base's shape.
    package var vBERTs = 10_000
    package var batches = [1, 32, 256, 1024]
    /// Token lengths of real texts; empty: that section is left out.
    package var lengths: [Int] = []
    /// Most vBERTs resident at once.
    package var crowd = 100_000
    /// Ways of streaming to measure.
    package var overlap = [true, false]
    /// A fifth of the time, for trying things out.
    package var isShort = false

    package init() {}

    func wants(_ some: [Section]) -> Bool { sections.isEmpty || !sections.isDisjoint(with: some) }
  }

  package enum Section: String, Sendable, CaseIterable {
    /// BERT-base's shape at length 128, with vBERTs and without.
    case throughput
    /// Each operation by itself.
    case operations
    /// Real text lengths, packed.
    case lengths
    /// Zipf traffic over ten million n-grams, a tenth of them on the device.
    case table
    /// Twice as many vBERTs as the pool holds.
    case streaming
    /// 100,000 vBERTs in device memory.
    case crowd
    /// MiniLM's shape, skip 2, at lengths 32 and 128.
    case small
  }

  let device: CUDADevice
  let lane: CUDABackend
  let options: Options
  private let show: (String) -> Void
  package private(set) var report: BenchReport

  /// `show` hears every line of the table as it is measured.
  package init(
    _ device: CUDADevice, options: Options, show: @escaping (String) -> Void
  ) throws {
    self.device = device
    self.options = options
    self.show = show
    lane = try CUDABackend(device: device)
    report = BenchReport(
      device: lane.name, nvidiaSMI: NvidiaSMI.line(ordinal: device.options.ordinal))
  }

  package func run() throws {
    show(report.device)
    show("nvidia-smi: \(report.nvidiaSMI ?? "not there")")
    show(BenchReport.Throughput.header)
    if options.wants([.throughput, .operations, .lengths, .table, .streaming, .crowd]) {
      let model = try BenchModel(.base, lane: lane, tokenBudget: 1024 * 128)
      try large(model)
    }
    if options.wants([.small]) {
      let model = try BenchModel(.miniLM, lane: lane, tokenBudget: 1024 * 128)
      let residents = try residents(1_000, model.configuration)
      let table = try DeviceRows(1_000_000, hidden: model.configuration.hiddenSize, lane: lane)
      try throughput("MiniLM", model, residents, table, lengths: [32, 128])
    }
    if let after = NvidiaSMI.line(ordinal: device.options.ordinal) { show("nvidia-smi: \(after)") }
  }

  /// Everything of BERT-base's shape. What fills the memory comes last.
  private func large(_ model: BenchModel) throws {
    if options.wants([.throughput, .operations, .lengths, .table]) {
      let residents = try residents(options.vBERTs, model.configuration)
      let rows = try DeviceRows(2_000_000, hidden: model.configuration.hiddenSize, lane: lane)
      if options.wants([.throughput]) {
        try throughput("BERT-base", model, residents, rows, lengths: [128])
      }
      if options.wants([.lengths]) { try lengths(model, residents, rows) }
      if options.wants([.table]) { try table(model, residents) }
      if options.wants([.operations]) { try operations(model, residents) }
    }
    let rows = try DeviceRows(1_000_000, hidden: model.configuration.hiddenSize, lane: lane)
    if options.wants([.streaming]) { try streaming(model, rows) }
    if options.wants([.crowd]) { try crowd(model, rows) }
  }

  func residents(_ count: Int, _ configuration: Configuration) throws -> Residents {
    let start = ContinuousClock.now
    let residents = try Residents(count, configuration, device: device)
    show(
      "\(count) vBERTs, \(residents.byteCount >> 20) MiB in pages, loaded in "
        + String(format: "%.1f s", (ContinuousClock.now - start) / .seconds(1)))
    return residents
  }

  func add(_ figure: BenchReport.Throughput) {
    report.throughput.append(figure)
    show(figure.line)
  }

  func add(_ figure: BenchReport.Operation) {
    report.operations.append(figure)
    show(figure.line)
  }

  func note(_ text: String) { show(text) }

  private func throughput(
    _ shape: String, _ model: BenchModel, _ residents: Residents, _ table: DeviceRows,
    lengths: [Int]
  ) throws {
    for length in lengths {
      for size in options.batches {
        for adapters in [true, false] {
          let inputs = try (0..<4).map { n in
            try BenchInput(
              model, lengths: [Int](repeating: length, count: size), residents, table,
              adapters: adapters, seed: UInt64(size * 10 + n))
          }
          for pooling in [Pooling.cls, .mean] {
            add(
              try measure(
                "throughput", shape,
                "length \(length), "
                  + (adapters ? "\(residents.adapters.count) vBERTs" : "no adapters")
                  + (pooling == .cls ? "" : ", mean"),
                model, inputs, pooling: pooling))
          }
        }
      }
    }
  }

  /// Times batches back to back, then one at a time with the scores fetched.
  func measure(
    _ section: String, _ shape: String, _ what: String, _ model: BenchModel,
    _ inputs: [BenchInput], pooling: Pooling = .cls
  ) throws -> BenchReport.Throughput {
    for input in inputs.prefix(3) { _ = try model.start(input, pooling: pooling) }
    try lane.finish()
    let size = inputs[0].batch.layout.count
    let tokens = inputs.reduce(0) { $0 + $1.batch.layout.rows } / inputs.count
    let batches = min(
      2_000, max(5, (options.isShort ? 4_000 : 20_000) * 128 / max(tokens, 128)))
    var seconds: [Double] = []
    for _ in 0..<3 {
      let start = ContinuousClock.now
      for n in 0..<batches { _ = try model.start(inputs[n % inputs.count], pooling: pooling) }
      try lane.finish()
      seconds.append((ContinuousClock.now - start) / .seconds(1) / Double(batches))
    }
    var (latency, launches): ([Double], [Double]) = ([], [])
    var scores: [Float] = []
    for n in 0..<(size == 1 ? 300 : 10) {
      let start = ContinuousClock.now
      let out = try model.start(inputs[n % inputs.count], pooling: pooling)
      launches.append((ContinuousClock.now - start) / .milliseconds(1))
      scores = try lane.floats(of: out)
      latency.append((ContinuousClock.now - start) / .milliseconds(1))
    }
    seconds.sort()
    var figure = BenchReport.Throughput(
      section: section, shape: shape, what: what, batch: size, tokens: tokens,
      sequencesPerSecond: Double(size) / seconds[1],
      bestSequencesPerSecond: Double(size) / seconds[0], milliseconds: seconds[1] * 1e3)
    figure.hostToHostMilliseconds = latency.sorted()[latency.count / 2]
    figure.launchMilliseconds = launches.sorted()[launches.count / 2]
    figure.shareOfCeiling =
      model.flops(tokens: tokens, sequences: size, pooling: pooling) / seconds[1]
      / GPUBench.ceiling
    figure.isFinite = scores.allSatisfy(\.isFinite)
    return figure
  }

  /// What the tensor cores of an H200 give to bf16 products in long runs, operations a second.
  static let ceiling = 700e12
}
