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
  private let workspace: Workspace

  /// `source` holds all tensors of a skip base; `extra` what else is trained, under the names of
  /// `AdapterFile`. `tokenBudget` is the longest batch.
  package init(
    source: any TensorSource, configuration: Configuration,
    extra: [ParameterSet.Initial] = [], adapter: AdapterSpec = .none,
    backend: any TrainableBackend, tokenBudget: Int
  ) throws {
    precondition(configuration.isSkip)
    self.configuration = configuration
    self.backend = backend
    var initials = try LocalTraining.initials(source: source, configuration: configuration)
    initials += try EntryTables.initials(source: source, configuration: configuration)
    for layer in configuration.upperLayers {
      initials += try TrainingLayer.initials(layer, source: source, configuration: configuration)
    }
    let parameters = try ParameterSet(initials + extra, backend: backend)
    func layers(_ range: Range<Int>) throws -> TrainingEncoder {
      try TrainingEncoder(
        range, source: source, configuration: configuration, parameters: parameters,
        loraScale: adapter.loraScale, backend: backend)
    }
    let lower = try layers(0..<configuration.skipDepth)
    upper = try layers(configuration.upperLayers)
    local = LocalTraining(
      parameters, layers: lower.layers, epsilon: configuration.layerNormEpsilon)
    entry = EntryTables(parameters, epsilon: configuration.layerNormEpsilon)
    self.parameters = parameters
    // Every token may bring an n-gram of its own, of three tokens.
    workspace = try Workspace(
      backend: backend,
      byteCount: 3 * lower.workspaceBytes(rows: tokenBudget, adapter: .none, outputs: 0)
        + 2 * upper.workspaceBytes(rows: tokenBudget, adapter: adapter, outputs: 0))
  }

  /// What a loss sees of one batch: the state that enters the first upper layer and the one after
  /// each upper layer [rows, hidden], and as many gradients to add to, zero before.
  package struct States {
    package let sequences: any PlacedSequences
    package let states: [Tensor]
    package let gradients: [Tensor]
    package let workspace: Workspace
  }

  /// Adds the gradients of `loss` over a batch to the parameters'; returns the loss.
  package func accumulate(
    _ batch: PackedBatch, loss: (States) throws(ComputeError) -> Double
  ) throws(ComputeError) -> Double {
    workspace.reset()
    let run = TrainingRun(
      backend: backend, sequences: try backend.place(batch.layout),
      heads: configuration.headCount, workspace: workspace, dropout: .none)
    let x = run.take(batch.layout.rows, configuration.hiddenSize)
    let localSaved = try local.forward(batch.grams, layout: batch.layout, into: x, run)
    let entrySaved = try entry.forward(x, batch: batch, run)
    let saved = try upper.forward(x, from: .init(layer: 0, start: .input), run)
    let states = [x] + saved.map(\.result)
    var gradients: [Tensor] = []
    for state in states {
      gradients.append(run.take(state.rows, state.columns))
      try backend.fill(gradients[gradients.count - 1], with: 0)
    }
    let value = try loss(
      States(
        sequences: run.sequences, states: states, gradients: gradients, workspace: workspace))
    let d = gradients[saved.count]
    try upper.backward(d, saved, wantsInput: true, run) { place, d throws(ComputeError) in
      if place + 1 < saved.count { try self.backend.add(gradients[place + 1], scale: 1, to: d) }
    }
    try backend.add(gradients[0], scale: 1, to: d)
    try entry.backward(d, entrySaved, batch: batch, run)
    try local.backward(d, localSaved)
    return value
  }
}
