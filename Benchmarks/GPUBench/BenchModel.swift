internal import Compute
internal import ComputeCUDA
internal import Model

/// A model of random weights on a lane with its encoder.
final class BenchModel {
  let configuration: Configuration
  let lane: CUDABackend
  let base: BaseModel
  let upper: UpperEncoder

  init(_ configuration: Configuration, lane: CUDABackend, tokenBudget: Int) throws {
    self.configuration = configuration
    self.lane = lane
    base = try BaseModel(
      source: RandomWeights(configuration: configuration), configuration: configuration,
      backend: lane)
    upper = try UpperEncoder(
      base: base, backend: lane, tokenBudget: tokenBudget, extraBytes: 64 << 20)
  }

  /// Of the matrix products of the upper layers; heads that read first rows leave out the last
  /// layer's other rows behind attention.
  func flops(tokens: Int, sequences: Int, pooling: Pooling) -> Double {
    let (h, w) = (Double(configuration.hiddenSize), Double(configuration.intermediateSize))
    let layers = Double(configuration.upperLayers.count)
    let (before, behind) = (2 * 3 * h * h, 2 * (h * h + 2 * h * w))
    let last = Double(pooling == .cls ? sequences : tokens)
    return Double(tokens) * (layers * before + (layers - 1) * behind) + last * behind
  }

  /// One batch, from host inputs to scores [sequences, 2] on the device: of heads that read the first
  /// state of a sequence, or the mean of all.
  func start(_ input: BenchInput, pooling: Pooling = .cls) throws(ComputeError) -> Tensor {
    let sequences = try lane.place(input.batch.layout)
    let groups = input.groups.isEmpty ? nil : try lane.place(input.groups)
    let heads = try lane.place(input.headGroups)
    if pooling == .cls {
      let states = try upper.firstStates(
        of: input.batch, rows: input.rows, sequences: sequences, groups: groups,
        firstGroups: groups == nil ? nil : heads)
      return try score(states, heads)
    }
    let states = try upper.states(
      of: input.batch, rows: input.rows, sequences: sequences, groups: groups)
    let pooled = upper.workspace.take(rows: sequences.layout.count, columns: states.columns)
    try lane.pool(states, sequences: sequences, pooling: pooling, into: pooled)
    return try score(pooled, heads)
  }

  private func score(_ pooled: Tensor, _ heads: any PlacedGroups) throws(ComputeError) -> Tensor {
    let scores = upper.workspace.take(rows: pooled.rows, columns: 2)
    try lane.applyHeads(pooled, groups: heads, into: scores)
    return scores
  }
}

/// What one batch is made of on the host.
struct BenchInput {
  var batch: PackedBatch
  var rows: [NGramRow]
  /// Empty: no adapters.
  var groups: [RowGroup]
  var headGroups: [RowGroup]

  /// Sequences of these lengths, each another vBERT of `residents`, rows drawn from the table.
  init(
    _ model: BenchModel, lengths: [Int], _ residents: Residents?, _ table: DeviceRows?,
    adapters: Bool = true,
    seed: UInt64
  ) throws {
    var random = Noise(seed: seed)
    batch = try PackedBatch(
      lengths.map { ([Int32](repeating: 1, count: $0), [Int32](repeating: 0, count: $0)) },
      for: model.configuration)
    rows = []
    (groups, headGroups) = ([], [])
    if let table {
      rows = (0..<batch.layout.rows).map { _ in table.row(random.whole(below: table.count)) }
    }
    guard let all = residents?.adapters else { return }
    setAdapters(lengths.map { _ in all[random.whole(below: all.count)] })
    if !adapters { groups = [] }
  }

  /// One a sequence.
  mutating func setAdapters(_ chosen: [any ResidentAdapter]) {
    let layout = batch.layout
    groups = chosen.enumerated().map { RowGroup(rows: layout.rows(of: $0), adapter: $1) }
    headGroups = chosen.enumerated().map { RowGroup(rows: $0..<$0 + 1, adapter: $1) }
  }
}
