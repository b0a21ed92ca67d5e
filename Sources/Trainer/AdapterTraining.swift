package import Compute
package import Model

/// One vBERT's adapter and head in training on a frozen base; or, to compare with, everything: a
/// copy of a dense base of its own, down to its embeddings.
///
/// Forward and backward touch only what the adapter reaches: they begin at `start`, whose states are
/// computed once a job (`FrozenStates`), no weight of the base gets a gradient, and gradients end at
/// the lowest adapter.
package final class AdapterTraining {
  package let spec: VBertSpec
  package let configuration: Configuration
  package let parameters: ParameterSet
  let backend: any TrainableBackend
  let encoder: TrainingEncoder
  let workspace: Workspace
  /// Longest batch, in tokens, that is run at once.
  package let tokenBudget: Int
  /// Where the base itself is trained.
  private let embeddings: EmbeddingTraining?
  private let headWeight, headBias: Parameter

  /// `initial`: all tensors of `AdapterFile.layout`; the spec must have its labels. `source` holds
  /// the base's upper layers, with `trainsBase` (a dense one's) all of it. Throws what source and
  /// backend throw.
  package init(
    spec: VBertSpec, initial: any TensorSource, source: any TensorSource,
    configuration: Configuration, trainsBase: Bool = false, backend: any TrainableBackend,
    tokenBudget: Int
  ) throws {
    precondition(!trainsBase || !configuration.isSkip)
    precondition(spec.task.outputs(labels: spec.labels.count) > 0, "nothing to train")
    self.spec = spec
    self.configuration = configuration
    self.backend = backend
    self.tokenBudget = tokenBudget
    var initials = try AdapterFile.layout(spec, base: configuration).map {
      ParameterSet.Initial($0.name, shape: $0.shape, try initial.floats($0.name, shape: $0.shape))
    }
    if trainsBase {
      initials.append(
        try EmbeddingTraining.initialWords(source: source, configuration: configuration))
      initials += try EmbeddingTraining.initials(source: source, configuration: configuration)
      initials += try BiasTraining.initials(source: source, configuration: configuration)
      for layer in configuration.upperLayers {
        initials += try TrainingLayer.initials(
          layer, source: source, configuration: configuration)
      }
    }
    parameters = try ParameterSet(initials, backend: backend)
    embeddings =
      trainsBase
      ? EmbeddingTraining(parameters, frozenWords: nil, configuration) : nil
    encoder = try TrainingEncoder(
      configuration.upperLayers, source: source, configuration: configuration,
      parameters: parameters, loraScale: spec.adapter.loraScale, backend: backend)
    headWeight = parameters.require("head.weight")
    headBias = parameters.require("head.bias")
    workspace = try Workspace(
      backend: backend,
      byteCount: encoder.workspaceBytes(
        rows: tokenBudget, adapter: spec.adapter, outputs: headWeight.value.rows))
  }

  /// What the head should say about a batch.
  package enum Targets {
    /// A class a row of the head's output (a sequence, or for tag a token); negative: not counted.
    case classes([Int32], weights: [Float]?)
    /// 0 or 1 a sequence and label.
    case many([Float], weights: [Float]?)
    /// A number a sequence.
    case scores([Float])
  }

  /// Adds the gradients of share * (sum of the losses) over a batch whose states at `start` are x,
  /// and returns that loss. x is overwritten. Gives back all workspace taken since `mark`.
  package func accumulate(
    _ x: Tensor, layout: SequenceLayout, targets: Targets, share: Double, dropout: Dropout = .none
  ) throws(ComputeError) -> Double {
    let mark = workspace.mark
    defer { workspace.reset(to: mark) }
    return try accumulate(x, try run(layout, dropout), targets, share: share) {
      _ throws(ComputeError) in
    }
  }

  /// The same over a batch of tokens, where the base is trained.
  package func accumulate(
    _ batch: PackedBatch, targets: Targets, share: Double, dropout: Dropout = .none
  ) throws(ComputeError) -> Double {
    guard let embeddings else { preconditionFailure("the base is frozen") }
    let mark = workspace.mark
    defer { workspace.reset(to: mark) }
    let run = try run(batch.layout, dropout)
    let x = run.take(batch.layout.rows, configuration.hiddenSize)
    let embedded = try embeddings.forward(
      ids: batch.ids, positions: batch.positions, types: batch.types, into: x, run)
    return try accumulate(x, run, targets, share: share) { d throws(ComputeError) in
      try embeddings.backward(d, embedded, self.backend)
      try self.encoder.bias?.collect()
    }
  }

  /// `embed` gets the gradient at x where the base is trained.
  private func accumulate(
    _ x: Tensor, _ run: TrainingRun, _ targets: Targets, share: Double,
    embed: (Tensor) throws(ComputeError) -> Void
  ) throws(ComputeError) -> Double {
    let dropout = run.tenants[0].dropout
    let saved = try encoder.forward(x, from: encoder.start, run)
    let features = try features(saved.last?.result ?? x, run)
    try dropout.headSite.apply(to: features, backend)
    let logits = try outputs(features, run)
    let d = run.takeFloats(logits.rows, logits.columns)
    let loss = try loss(logits, targets, share: share, into: d)
    try backend.linearParameterGradient(
      d, input: features, scale: 1, weight: headWeight.gradient, bias: headBias.gradient)
    guard !saved.isEmpty else { return loss }
    var dx =
      spec.task == .tag
      ? run.take(features.rows, features.columns)
      : run.takeFloats(features.rows, features.columns)
    try backend.linearInputGradient(
      d, weight: headWeight.value, scale: 1, adding: false, into: dx)
    try dropout.headSite.apply(to: dx, backend)
    if spec.task != .tag {
      let pooled = dx
      dx = run.take(x.rows, x.columns)
      try backend.poolBackward(pooled, sequences: run.sequences, pooling: spec.pooling, into: dx)
    }
    try encoder.backward(dx, saved, wantsInput: embeddings != nil, run)
    if embeddings != nil { try embed(dx) }
    return loss
  }

  /// The head's outputs [sequences, or tokens for tag; outputs] without dropout.
  package func logits(_ x: Tensor, layout: SequenceLayout) throws(ComputeError) -> [Float] {
    let mark = workspace.mark
    defer { workspace.reset(to: mark) }
    return try logits(x, try run(layout, .none))
  }

  /// The same of a batch of tokens, where the base is trained.
  package func logits(_ batch: PackedBatch) throws(ComputeError) -> [Float] {
    guard let embeddings else { preconditionFailure("the base is frozen") }
    let mark = workspace.mark
    defer { workspace.reset(to: mark) }
    let run = try run(batch.layout, .none)
    let x = run.take(batch.layout.rows, configuration.hiddenSize)
    _ = try embeddings.forward(
      ids: batch.ids, positions: batch.positions, types: batch.types, into: x, run)
    return try logits(x, run)
  }

  private func logits(_ x: Tensor, _ run: TrainingRun) throws(ComputeError) -> [Float] {
    let saved = try encoder.forward(x, from: encoder.start, run)
    return try backend.download(outputs(features(saved.last?.result ?? x, run), run))
  }

  private func run(_ layout: SequenceLayout, _ dropout: Dropout) throws(ComputeError)
    -> TrainingRun
  {
    TrainingRun(
      backend: backend, sequences: try backend.place(layout), heads: configuration.headCount,
      workspace: workspace, dropout: dropout)
  }

  private func features(_ final: Tensor, _ run: TrainingRun) throws(ComputeError) -> Tensor {
    guard spec.task != .tag else { return final }
    let pooled = run.takeFloats(run.sequences.layout.count, final.columns)
    try backend.pool(final, sequences: run.sequences, pooling: spec.pooling, into: pooled)
    return pooled
  }

  private func outputs(_ features: Tensor, _ run: TrainingRun) throws(ComputeError) -> Tensor {
    let out = run.takeFloats(features.rows, headWeight.value.rows)
    try backend.linear(
      features, weight: headWeight.value, bias: headBias.value, scale: 1, adding: false, into: out)
    return out
  }

  private func loss(_ logits: Tensor, _ targets: Targets, share: Double, into d: Tensor)
    throws(ComputeError) -> Double
  {
    switch targets {
    case .classes(let labels, let weights):
      return try backend.softmaxLoss(
        logits, labels: labels, weights: weights, share: share, into: d)
    case .many(let values, let weights):
      return try backend.binaryLoss(
        logits, targets: values, weights: weights, share: share, into: d)
    case .scores(let values):
      let wanted = workspace.take(rows: logits.rows, columns: logits.columns)
      try backend.upload(values, to: wanted)
      return try backend.squaredLoss(logits, targets: wanted, share: share, into: d)
    }
  }
}

extension AdapterTraining {
  /// The adapter and head as they are now.
  package func adapter() throws -> HostAdapter {
    var tensors = MemoryTensors()
    for (name, shape) in AdapterFile.layout(spec, base: configuration) {
      tensors.set(name, shape: shape, try parameters.value(of: name))
    }
    return try AdapterFile.adapter(spec, base: configuration, from: tensors)
  }
}

extension AdapterSpec {
  /// alpha / rank; 1 for other kinds.
  var loraScale: Float {
    if case .lora(let rank, let alpha, _) = self { return alpha / Float(rank) }
    return 1
  }
}

extension TrainingEncoder {
  /// Workspace for forward, backward and a head with so many outputs over `rows` tokens.
  func workspaceBytes(rows: Int, adapter: AdapterSpec, outputs: Int) -> Int {
    let (hidden, wide) = (configuration.hiddenSize, configuration.intermediateSize)
    // Counted by hand from `TrainingLayer`: what forward keeps a layer, and backward's scratch.
    let keepsWide = layers.contains { $0.down.isTrained }
    var kept = 8 * hidden + (keepsWide ? 2 : 1) * wide + 4
    var scratch = 7 * hidden + 2 * wide
    switch adapter {
    case .none: break
    case .bottleneck(let width, let sites):
      kept += sites.count * (2 * width + hidden)
      scratch += hidden + width
    case .lora(let rank, _, let targets):
      kept += targets.count * rank + (targets.contains(.down) ? wide : 0)
      scratch += rank
    }
    let head = 6 * hidden + 3 * outputs
    let columns = layers.count * kept + scratch + head + 2 * hidden
    // Every piece may be rounded up by 64 bytes.
    return rows * columns * MemoryLayout<Float>.size + 64 * (64 * layers.count + 64)
  }
}
