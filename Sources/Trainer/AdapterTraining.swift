package import Compute
package import Model

/// vBERTs' adapters and heads in training on one frozen base, in the same batches: the base's maps see
/// all rows at once, adapters and heads their own. All have adapters of one kind and one way from token
/// states to the head; labels, data and schedule are each vBERT's own. Or, to compare with, one vBERT
/// and everything below it: a copy of a dense base of its own, down to its embeddings.
///
/// Forward and backward touch only what an adapter reaches: they begin at `encoder.start`, whose states
/// are computed once a job (`FrozenStates`), no weight of the base gets a gradient, and gradients end at
/// the lowest adapter.
package final class AdapterTraining {
  package let specs: [VBertSpec]
  package let configuration: Configuration
  /// Of each vBERT.
  package let parameters: [ParameterSet]
  let backend: any TrainableBackend
  let encoder: TrainingEncoder
  let workspace: Workspace
  /// Longest batch, in tokens, that is run at once.
  package let tokenBudget: Int
  /// Of each vBERT; none of embedders.
  let heads: [(weight: Parameter, bias: Parameter)]
  /// Where the base itself is trained.
  private let embeddings: EmbeddingTraining?
  /// Every vBERT's losses since `clearLosses`.
  private let losses: TensorStore

  /// What must agree between vBERTs that train together.
  struct Kind: Hashable {
    var adapter: AdapterSpec
    /// nil for tag.
    var pooling: Pooling?
    /// Whether there is a head; an embedder's vectors are the pooled states.
    var hasHead: Bool

    init(_ spec: VBertSpec) {
      adapter = spec.adapter
      pooling = spec.task == .tag ? nil : spec.pooling
      hasHead = spec.task != .embed
    }
  }

  /// All specs are of one kind and have their labels; `initial`: of each all tensors of
  /// `AdapterFile.layout`. `source` holds the base's upper layers; with `trainsBase` (one spec, a dense
  /// base) all of it. Throws what source and backend throw.
  package init(
    specs: [VBertSpec], initial: [any TensorSource], source: any TensorSource,
    configuration: Configuration, trainsBase: Bool = false, backend: any TrainableBackend,
    tokenBudget: Int
  ) throws {
    precondition(!specs.isEmpty && Set(specs.map(Kind.init)).count == 1)
    precondition(
      specs.allSatisfy { $0.task == .embed || $0.task.outputs(labels: $0.labels.count) > 0 })
    precondition(!trainsBase || !configuration.isSkip && specs.count == 1)
    (self.specs, self.configuration) = (specs, configuration)
    (self.backend, self.tokenBudget) = (backend, tokenBudget)
    let base =
      trainsBase ? try Self.baseInitials(source: source, configuration: configuration) : []
    parameters = try ParameterSet.together(
      try zip(specs, initial).map { spec, initial in
        try AdapterFile.layout(spec, base: configuration).map {
          .init($0.name, shape: $0.shape, try initial.floats($0.name, shape: $0.shape))
        } + base
      }, backend: backend)
    embeddings =
      trainsBase ? EmbeddingTraining(parameters[0], frozenWords: nil, configuration) : nil
    losses = try TensorStore([("losses", [specs.count])], backend: backend)
    encoder = try TrainingEncoder(
      configuration.upperLayers, source: source, configuration: configuration,
      parameters: trainsBase ? parameters[0] : try ParameterSet([], backend: backend),
      tenants: parameters, loraScale: specs[0].adapter.loraScale, backend: backend)
    heads =
      Kind(specs[0]).hasHead
      ? parameters.map { ($0.require("head.weight"), $0.require("head.bias")) } : []
    let outputs = heads.map(\.weight.value.rows).max() ?? 1
    workspace = try Workspace(
      backend: backend,
      byteCount: encoder.workspaceBytes(
        rows: tokenBudget, adapter: specs[0].adapter, outputs: outputs)
        + 4 * 64 * 4 * specs.count)
  }

  private static func baseInitials(
    source: any TensorSource, configuration: Configuration
  ) throws -> [ParameterSet.Initial] {
    var initials = [
      try EmbeddingTraining.initialWords(source: source, configuration: configuration)
    ]
    initials += try EmbeddingTraining.initials(source: source, configuration: configuration)
    initials += try BiasTraining.initials(source: source, configuration: configuration)
    for layer in configuration.upperLayers {
      initials += try TrainingLayer.initials(layer, source: source, configuration: configuration)
    }
    return initials
  }

  var pooling: Pooling? { Kind(specs[0]).pooling }
  var trainsBase: Bool { embeddings != nil }

  /// What the head should say about a batch.
  package enum Targets {
    /// A class a row of the head's output (a sequence, or for tag a token); negative: not counted.
    case classes([Int32], weights: [Float]?)
    /// 0 or 1 a sequence and label.
    case many([Float], weights: [Float]?)
    /// A number a sequence.
    case scores([Float])
    /// For embedders: loss and gradient of the sequences' vectors, [sequences, hidden], on the host.
    case vectors(([Float]) -> (loss: Double, gradient: [Float]))
  }

  /// One vBERT's share of a batch: `sequences` of it, which are neighbours. A vBERT has one at most.
  package struct Part {
    var vbert: Int
    var sequences: Range<Int>
    var targets: Targets
    var share: Double
    var dropout: Dropout

    package init(
      vbert: Int, sequences: Range<Int>, targets: Targets = .classes([], weights: nil),
      share: Double = 0, dropout: Dropout = .none
    ) {
      (self.vbert, self.sequences, self.targets) = (vbert, sequences, targets)
      (self.share, self.dropout) = (share, dropout)
    }
  }

  /// A batch as it comes in.
  package enum Input {
    /// States where training begins, which are overwritten.
    case states(Tensor, SequenceLayout)
    /// Tokens, where the base itself is trained.
    case tokens(PackedBatch)

    var layout: SequenceLayout {
      switch self {
      case .states(_, let layout): layout
      case .tokens(let batch): batch.layout
      }
    }
  }

  package func clearLosses() throws(ComputeError) { try backend.fill(losses.flat, with: 0) }

  /// Every vBERT's losses, once all is computed.
  package func readLosses() throws(ComputeError) -> [Double] {
    try backend.download(losses.flat).prefix(specs.count).map(Double.init)
  }

  /// Where a vBERT's losses are added up.
  func loss(of vbert: Int) -> Tensor { losses.flat.columns(vbert..<vbert + 1) }

  /// Adds every part's gradients of share * (sum of its losses) to its parameters', and that loss to
  /// the vBERT's. Gives back all workspace taken. Nothing is waited for.
  package func accumulate(_ input: Input, parts: [Part]) throws(ComputeError) {
    let mark = workspace.mark
    defer { workspace.reset(to: mark) }
    let run = try run(input.layout, parts)
    let (x, embedded) = try enter(input, run)
    let saved = try encoder.forward(x, from: encoder.start, run)
    let heads = try heads(saved.last?.result ?? x, parts, run, dropping: true)
    guard let dx = try backward(heads, parts, run, wantsInput: !saved.isEmpty) else { return }
    try encoder.backward(dx, saved, wantsInput: embedded != nil, run)
    guard let embeddings, let embedded else { return }
    try embeddings.backward(dx, embedded, backend)
    try encoder.bias?.collect()
  }

  /// Every part's outputs [sequences, or tokens for tag; outputs], without dropout on the heads' input.
  package func logits(_ input: Input, parts: [Part]) throws(ComputeError) -> [[Float]] {
    let mark = workspace.mark
    defer { workspace.reset(to: mark) }
    let run = try run(input.layout, parts)
    let (x, _) = try enter(input, run)
    let saved = try encoder.forward(x, from: encoder.start, run)
    let heads = try heads(saved.last?.result ?? x, parts, run, dropping: false)
    let values = try backend.download(heads.flat)
    var first = 0
    return heads.logits.map { logits in
      defer { first += logits.count }
      return Array(values[first..<first + logits.count])
    }
  }

  private func run(_ layout: SequenceLayout, _ parts: [Part]) throws(ComputeError) -> TrainingRun {
    TrainingRun(
      backend: backend, sequences: try backend.place(layout), heads: configuration.headCount,
      workspace: workspace,
      tenants: parts.map { part in
        let first = layout.rows(of: part.sequences.lowerBound).lowerBound
        let last = layout.rows(of: part.sequences.upperBound - 1).upperBound
        return TenantRows(tenant: part.vbert, rows: first..<last, dropout: part.dropout)
      })
  }

  private func enter(_ input: Input, _ run: TrainingRun) throws(ComputeError)
    -> (x: Tensor, embedded: EmbeddingTraining.Saved?)
  {
    switch (input, embeddings) {
    case (.states(let x, _), nil): return (x, nil)
    case (.tokens(let batch), let embeddings?):
      let x = run.take(batch.layout.rows, configuration.hiddenSize)
      return (
        x,
        try embeddings.forward(
          ids: batch.ids, positions: batch.positions, types: batch.types, into: x, run)
      )
    default: preconditionFailure("states for a frozen base, tokens for one that is trained")
    }
  }

  /// A vBERT's adapter and head as they are now.
  package func adapter(of vbert: Int) throws -> HostAdapter {
    try AdapterFile.adapter(
      specs[vbert], base: configuration, from: try parameters[vbert].tensors())
  }
}
