import Compute
import Model

/// Many vBERTs' adapters and heads in training on one frozen base, in the same batches: the base's maps
/// see all rows at once, adapters and heads their own. All have adapters of one kind and one way from
/// token states to the head; labels, data and schedule are each vBERT's own.
final class ManyTraining: FrozenBase {
  let specs: [VBertSpec]
  let configuration: Configuration
  let parameters: [ParameterSet]
  let backend: any TrainableBackend
  let encoder: TrainingEncoder
  let workspace: Workspace
  let tokenBudget: Int
  /// Every vBERT's losses since `clearLosses`.
  private let losses: TensorStore
  private let heads: [(weight: Parameter, bias: Parameter)]

  /// What must agree between vBERTs that train together.
  struct Kind: Hashable {
    var adapter: AdapterSpec
    /// nil for tag.
    var pooling: Pooling?

    init(_ spec: VBertSpec) {
      adapter = spec.adapter
      pooling = spec.task == .tag ? nil : spec.pooling
    }
  }

  /// `initial`: of each spec all tensors of `AdapterFile.layout`. All specs are of one kind.
  init(
    specs: [VBertSpec], initial: [MemoryTensors], source: any TensorSource,
    configuration: Configuration, backend: any TrainableBackend, tokenBudget: Int
  ) throws {
    precondition(!specs.isEmpty && Set(specs.map(Kind.init)).count == 1)
    (self.specs, self.configuration) = (specs, configuration)
    (self.backend, self.tokenBudget) = (backend, tokenBudget)
    parameters = try ParameterSet.together(
      try zip(specs, initial).map { spec, initial in
        try AdapterFile.layout(spec, base: configuration).map {
          .init($0.name, shape: $0.shape, try initial.floats($0.name, shape: $0.shape))
        }
      }, backend: backend)
    losses = try TensorStore([("losses", [specs.count])], backend: backend)
    encoder = try TrainingEncoder(
      configuration.upperLayers, source: source, configuration: configuration,
      parameters: try ParameterSet([], backend: backend), tenants: parameters,
      loraScale: specs[0].adapter.loraScale, backend: backend)
    heads = parameters.map { ($0.require("head.weight"), $0.require("head.bias")) }
    let outputs = heads.map(\.weight.value.rows).max() ?? 1
    workspace = try Workspace(
      backend: backend,
      byteCount: encoder.workspaceBytes(
        rows: tokenBudget, adapter: specs[0].adapter, outputs: outputs)
        + 4 * 64 * 4 * specs.count)
  }

  /// One vBERT's share of a batch: `sequences` of it, which are neighbours. A vBERT has one at most.
  struct Part {
    var vbert: Int
    var sequences: Range<Int>
    var targets: AdapterTraining.Targets = .classes([], weights: nil)
    var share = 0.0
    var dropout = Dropout.none
  }

  private var pooling: Pooling? { Kind(specs[0]).pooling }

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

  /// The head's input and output of every part.
  private struct Heads {
    /// All parts' [sequences, or tokens for tag; hidden].
    let features: Tensor
    /// Of each part among those rows.
    let rows: [Range<Int>]
    /// All parts' outputs, one after another.
    let flat: Tensor
    let logits: [Tensor]
  }

  private func heads(
    _ final: Tensor, _ parts: [Part], _ run: TrainingRun, dropping: Bool
  ) throws(ComputeError) -> Heads {
    var features = final
    if let pooling {
      features = run.takeFloats(run.sequences.layout.count, final.columns)
      try backend.pool(final, sequences: run.sequences, pooling: pooling, into: features)
    }
    let rows = zip(parts, run.tenants).map { pooling == nil ? $1.rows : $0.sequences }
    if dropping {
      try run.drop(zip(parts, rows).map { (features.rows($1), $0.dropout.headSite) })
    }
    let (flat, logits) = takeLogits(parts, rows, run)
    try backend.linear(
      items(parts, features, rows, logits) { ($0.weight.value, $0.bias.value) },
      scale: 1, adding: false)
    return Heads(features: features, rows: rows, flat: flat, logits: logits)
  }

  /// Room for every part's outputs, one after another.
  private func takeLogits(_ parts: [Part], _ rows: [Range<Int>], _ run: TrainingRun)
    -> (flat: Tensor, [Tensor])
  {
    let counts = zip(parts, rows).map { $1.count * heads[$0.vbert].weight.value.rows }
    let flat = run.takeFloats(1, counts.reduce(0, +))
    var (list, first): ([Tensor], Int) = ([], 0)
    for (rows, count) in zip(rows, counts) {
      list.append(
        Tensor(
          address: flat.columns(first..<first + count).address, rows: rows.count,
          columns: count / max(1, rows.count)))
      first += count
    }
    return (flat, list)
  }

  private func items(
    _ parts: [Part], _ x: Tensor, _ rows: [Range<Int>], _ y: [Tensor],
    _ parameters: ((weight: Parameter, bias: Parameter)) -> (weight: Tensor, bias: Tensor?)
  ) -> [LinearItem] {
    parts.indices.map { i in
      let (weight, bias) = parameters(heads[parts[i].vbert])
      return LinearItem(x: x.rows(rows[i]), weight: weight, bias: bias, y: y[i])
    }
  }

  func clearLosses() throws(ComputeError) { try backend.fill(losses.flat, with: 0) }

  /// Every vBERT's losses, once all is computed.
  func readLosses() throws(ComputeError) -> [Double] {
    try backend.download(losses.flat).prefix(specs.count).map(Double.init)
  }

  /// Adds every part's gradients of share * (sum of its losses) to its parameters', and that loss to
  /// the vBERT's, over a batch whose states where training begins are x, which is overwritten. Nothing
  /// is waited for.
  func accumulate(_ x: Tensor, layout: SequenceLayout, parts: [Part]) throws(ComputeError) {
    let mark = workspace.mark
    defer { workspace.reset(to: mark) }
    let run = try run(layout, parts)
    let saved = try encoder.forward(x, from: encoder.start, run)
    let heads = try heads(saved.last?.result ?? x, parts, run, dropping: true)
    let (_, d) = takeLogits(parts, heads.rows, run)
    try addLosses(parts, heads.logits, d)
    try backend.linearParameterGradient(
      items(parts, heads.features, heads.rows, d) { ($0.weight.gradient, $0.bias.gradient) },
      scale: 1)
    if !saved.isEmpty {
      let features = heads.features
      var dx =
        pooling == nil
        ? run.take(features.rows, features.columns)
        : run.takeFloats(features.rows, features.columns)
      try backend.linearInputGradient(
        items(parts, dx, heads.rows, d) { ($0.weight.value, nil) }, scale: 1, adding: false)
      try run.drop(zip(parts, heads.rows).map { (dx.rows($1), $0.dropout.headSite) })
      if let pooling {
        let pooled = dx
        dx = run.take(x.rows, x.columns)
        try backend.poolBackward(pooled, sequences: run.sequences, pooling: pooling, into: dx)
      }
      try encoder.backward(dx, saved, wantsInput: false, run)
    }
  }

  private func addLosses(_ parts: [Part], _ logits: [Tensor], _ d: [Tensor]) throws(ComputeError) {
    var softmax: [SoftmaxItem] = []
    for (i, part) in parts.enumerated() {
      let value = losses.flat.columns(part.vbert..<part.vbert + 1)
      switch part.targets {
      case .classes(let labels, let weights):
        softmax.append(
          SoftmaxItem(
            logits: logits[i], labels: labels, weights: weights, share: part.share, into: d[i],
            addingTo: value))
      case .many(let targets, let weights):
        try backend.binaryLoss(
          logits[i], targets: targets, weights: weights, share: part.share, into: d[i],
          addingTo: value)
      case .scores(let targets):
        let wanted = workspace.take(rows: logits[i].rows, columns: logits[i].columns)
        try backend.upload(targets, to: wanted)
        try backend.squaredLoss(
          logits[i], targets: wanted, share: part.share, into: d[i], addingTo: value)
      }
    }
    if !softmax.isEmpty { try backend.softmaxLoss(softmax) }
  }

  /// Every part's outputs [sequences, or tokens for tag; outputs] without dropout.
  func logits(_ x: Tensor, layout: SequenceLayout, parts: [Part]) throws(ComputeError) -> [[Float]]
  {
    let mark = workspace.mark
    defer { workspace.reset(to: mark) }
    let run = try run(layout, parts)
    let saved = try encoder.forward(x, from: encoder.start, run)
    let heads = try heads(saved.last?.result ?? x, parts, run, dropping: false)
    let values = try backend.download(heads.flat)
    var first = 0
    return heads.logits.map { logits in
      defer { first += logits.count }
      return Array(values[first..<first + logits.count])
    }
  }

  /// A vBERT's adapter and head as they are now.
  func adapter(of vbert: Int) throws -> HostAdapter {
    try AdapterFile.adapter(
      specs[vbert], base: configuration, from: try parameters[vbert].tensors())
  }
}
