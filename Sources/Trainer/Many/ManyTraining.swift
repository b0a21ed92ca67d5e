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
    parameters = try zip(specs, initial).map { spec, initial in
      try ParameterSet(
        AdapterFile.layout(spec, base: configuration).map {
          .init($0.name, shape: $0.shape, try initial.floats($0.name, shape: $0.shape))
        }, backend: backend)
    }
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
      for (part, rows) in zip(parts, rows) {
        try part.dropout.headSite.apply(to: features.rows(rows), backend)
      }
    }
    let (flat, logits) = takeLogits(parts, rows, run)
    try backend.linear(
      items(parts, features, rows, logits) { ($0.weight.value, $0.bias.value) })
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

  /// Adds every part's gradients of share * (sum of its losses) to its parameters', over a batch whose
  /// states where training begins are x; the losses. x is overwritten.
  func accumulate(_ x: Tensor, layout: SequenceLayout, parts: [Part]) throws(ComputeError)
    -> [Double]
  {
    let mark = workspace.mark
    defer { workspace.reset(to: mark) }
    let run = try run(layout, parts)
    let saved = try encoder.forward(x, from: encoder.start, run)
    let heads = try heads(saved.last?.result ?? x, parts, run, dropping: true)
    let (_, d) = takeLogits(parts, heads.rows, run)
    let values = run.takeFloats(1, parts.count)
    try backend.fill(values, with: 0)
    try losses(parts, heads.logits, d, into: values)
    try backend.linearParameterGradient(
      items(parts, heads.features, heads.rows, d) { ($0.weight.gradient, $0.bias.gradient) })
    if !saved.isEmpty {
      let features = heads.features
      var dx =
        pooling == nil
        ? run.take(features.rows, features.columns)
        : run.takeFloats(features.rows, features.columns)
      try backend.linearInputGradient(
        items(parts, dx, heads.rows, d) { ($0.weight.value, nil) }, adding: false)
      for (part, rows) in zip(parts, heads.rows) {
        try part.dropout.headSite.apply(to: dx.rows(rows), backend)
      }
      if let pooling {
        let pooled = dx
        dx = run.take(x.rows, x.columns)
        try backend.poolBackward(pooled, sequences: run.sequences, pooling: pooling, into: dx)
      }
      try encoder.backward(dx, saved, wantsInput: false, run)
    }
    return try backend.download(values).map(Double.init)
  }

  private func losses(_ parts: [Part], _ logits: [Tensor], _ d: [Tensor], into values: Tensor)
    throws(ComputeError)
  {
    var (softmax, places): ([SoftmaxItem], [Int]) = ([], [])
    for (i, part) in parts.enumerated() {
      let value = values.columns(i..<i + 1)
      switch part.targets {
      case .classes(let labels, let weights):
        softmax.append(
          SoftmaxItem(
            logits: logits[i], labels: labels, weights: weights, share: part.share, into: d[i]))
        places.append(i)
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
    // Neighbours in `values`, or one by one where other tasks lie between.
    if places.count == parts.count {
      try backend.softmaxLoss(softmax, addingTo: values)
    } else {
      for (item, place) in zip(softmax, places) {
        try backend.softmaxLoss([item], addingTo: values.columns(place..<place + 1))
      }
    }
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
    var tensors = MemoryTensors()
    for (name, shape) in AdapterFile.layout(specs[vbert], base: configuration) {
      tensors.set(name, shape: shape, try parameters[vbert].value(of: name))
    }
    return try AdapterFile.adapter(specs[vbert], base: configuration, from: tensors)
  }
}
