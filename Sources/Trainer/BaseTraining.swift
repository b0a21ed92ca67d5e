package import Compute
package import Model

/// A skip base itself in training, down to its embeddings: what distillation runs on.
///
/// Adapters and heads may train along with it, where their initial values are given.
package final class BaseTraining {
  package let configuration: Configuration
  package let parameters: ParameterSet
  package let backend: any TrainableBackend
  private let local: LocalTraining
  private let entry: EntryTables
  private let upper: TrainingEncoder
  private let bias: BiasTraining?
  private let frozenWords, frozenEntry: FrozenTensors?
  private let workspace: Workspace

  /// What is trained of a skip base.
  package enum Scope: Sendable {
    case all
    /// The local layers, down to their embeddings: what a domain may have of its own.
    case local
  }

  /// `source` holds all tensors of a skip base; `extra` what else is trained, under the names of
  /// `AdapterFile`. `tokenBudget` is the longest batch, `lossBytes` what a loss takes of the
  /// workspace.
  package init(
    source: any TensorSource, configuration: Configuration, scope: Scope = .all,
    freezesWords: Bool = false, extra: [ParameterSet.Initial] = [], adapter: AdapterSpec = .none,
    backend: any TrainableBackend, tokenBudget: Int, lossBytes: Int = 0
  ) throws {
    precondition(configuration.isSkip)
    self.configuration = configuration
    self.backend = backend
    var initials = try LocalTraining.initials(source: source, configuration: configuration)
    let words = try EmbeddingTraining.initialWords(source: source, configuration: configuration)
    frozenWords = freezesWords ? try FrozenTensors([words], backend: backend) : nil
    if !freezesWords { initials.append(words) }
    let tables = try EntryTables.initials(source: source, configuration: configuration)
    frozenEntry = scope == .local ? try FrozenTensors(tables, backend: backend) : nil
    if scope == .all {
      initials += tables
      initials += try BiasTraining.initials(source: source, configuration: configuration)
      for layer in configuration.upperLayers {
        initials += try TrainingLayer.initials(
          layer, source: source, configuration: configuration)
      }
    }
    let parameters = try ParameterSet(initials + extra, backend: backend)
    let bias = try BiasTraining(
      source: source, configuration: configuration, parameters: parameters, backend: backend)
    self.bias = bias
    func layers(_ range: Range<Int>) throws -> TrainingEncoder {
      try TrainingEncoder(
        range, source: source, configuration: configuration, parameters: parameters, bias: bias,
        loraScale: adapter.loraScale, backend: backend)
    }
    let lower = try layers(0..<configuration.skipDepth)
    upper = try layers(configuration.upperLayers)
    local = LocalTraining(
      parameters,
      embeddings: EmbeddingTraining(
        parameters, frozenWords: frozenWords?[EmbeddingTraining.words], configuration),
      layers: lower.layers)
    entry =
      frozenEntry.map { EntryTables(frozen: $0, configuration) }
      ?? EntryTables(parameters, configuration)
    self.parameters = parameters
    // Every token may bring an n-gram of its own, of three tokens.
    workspace = try Workspace(
      backend: backend,
      byteCount: 3 * lower.workspaceBytes(rows: tokenBudget, adapter: .none, outputs: 0)
        + 2 * upper.workspaceBytes(rows: tokenBudget, adapter: adapter, outputs: 0) + lossBytes)
  }

  /// What a loss sees of one batch: the state that enters the first upper layer and the one after
  /// each upper layer [rows, hidden], and as many gradients to add to, zero before.
  package struct States {
    package let sequences: any PlacedSequences
    package let states: [Tensor]
    package let gradients: [Tensor]
    /// Query, key and value of each upper layer [rows, 3 hidden].
    package let queryKeyValues: [Tensor]
    package let workspace: Workspace
  }

  /// A loss at an upper layer's query, key and value: its place among the upper layers, and the
  /// gradient there to add to.
  package typealias Relate = (States, _ place: Int, _ dqkv: Tensor) throws(ComputeError) -> Void

  /// Adds the gradients of `loss` and `relate` over a batch to the parameters'; returns what `loss`
  /// does.
  package func accumulate<Result>(
    _ batch: PackedBatch, local prepared: LocalBatch? = nil, relate: Relate? = nil,
    loss: (States) throws(ComputeError) -> Result
  ) throws(ComputeError) -> Result {
    let (seen, forwardRun, saved) = try forward(batch, prepared)
    let value = try loss(seen)
    var run = forwardRun
    if let relate {
      let first = configuration.skipDepth
      run.relate = { layer, dqkv throws(ComputeError) in
        try relate(seen, layer - first, dqkv)
      }
    }
    let d = seen.gradients[saved.upper.count]
    try upper.backward(d, saved.upper, wantsInput: true, run) { place, d throws(ComputeError) in
      if place + 1 < saved.upper.count {
        try self.backend.add(seen.gradients[place + 1], scale: 1, to: d)
      }
    }
    try backend.add(seen.gradients[0], scale: 1, to: d)
    try entry.backward(d, saved.entry, batch: batch, run)
    try local.backward(d, saved.local)
    try bias?.collect()
    return value
  }

  /// Runs a batch and looks at its states, without gradients.
  package func withStates<Result>(
    of batch: PackedBatch, local prepared: LocalBatch? = nil,
    _ body: (States) throws(ComputeError) -> Result
  ) throws(ComputeError) -> Result {
    try body(try forward(batch, prepared).seen)
  }

  private struct Saved {
    let local: LocalTraining.Saved
    let entry: SavedNorm
    let upper: [TrainingLayer.Saved]
  }

  private func forward(_ batch: PackedBatch, _ prepared: LocalBatch?) throws(ComputeError)
    -> (seen: States, run: TrainingRun, saved: Saved)
  {
    let prepared = if let prepared { prepared } else { try LocalBatch(batch) }
    workspace.reset()
    try bias?.refresh()
    let run = TrainingRun(
      backend: backend, sequences: try backend.place(batch.layout),
      heads: configuration.headCount, workspace: workspace, dropout: .none)
    let x = run.take(batch.layout.rows, configuration.hiddenSize)
    let localSaved = try local.forward(prepared, into: x, run)
    let entrySaved = try entry.forward(x, batch: batch, run)
    let saved = try upper.forward(x, from: .init(layer: 0, start: .input), run)
    let states = [x] + saved.map(\.result)
    var gradients: [Tensor] = []
    for state in states {
      gradients.append(run.take(state.rows, state.columns))
      try backend.fill(gradients[gradients.count - 1], with: 0)
    }
    let seen = States(
      sequences: run.sequences, states: states, gradients: gradients,
      queryKeyValues: saved.compactMap(\.attention?.qkv), workspace: workspace)
    return (seen, run, Saved(local: localSaved, entry: entrySaved, upper: saved))
  }
}
