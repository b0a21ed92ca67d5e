import Compute
import Model

/// From token states to what the heads say, and back.
extension AdapterTraining {
  /// The heads' input and output of every part.
  struct Heads {
    /// All parts' [sequences, or tokens for tag; hidden].
    let features: Tensor
    /// Of each part among those rows.
    let rows: [Range<Int>]
    /// All parts' outputs, one after another.
    let flat: Tensor
    let logits: [Tensor]
    /// Where the features are divided by their norms.
    let units: UnitRows?
  }

  func heads(
    _ final: Tensor, _ parts: [Part], _ run: TrainingRun, dropping: Bool
  ) throws(ComputeError) -> Heads {
    var features = final
    if let pooling {
      features = run.takeFloats(run.sequences.layout.count, final.columns)
      let way = pooling == .normalizedMean ? .mean : pooling
      try backend.pool(final, sequences: run.sequences, pooling: way, into: features)
    }
    let units = try pooling == .normalizedMean ? divided(features) : nil
    let rows = zip(parts, run.tenants).map { pooling == nil ? $1.rows : $0.sequences }
    guard !heads.isEmpty else {
      return Heads(
        features: features, rows: rows, flat: features, logits: rows.map { features.rows($0) },
        units: units)
    }
    if dropping {
      try run.drop(zip(parts, rows).map { (features.rows($1), $0.dropout.headSite) })
    }
    let (flat, logits) = takeLogits(parts, rows, run)
    try backend.linear(
      items(parts, features, rows, logits) { ($0.weight.value, $0.bias.value) },
      scale: 1, adding: false)
    return Heads(features: features, rows: rows, flat: flat, logits: logits, units: units)
  }

  /// Divides rows by their L2 norms, on the host: a batch has few.
  private func divided(_ features: Tensor) throws(ComputeError) -> UnitRows {
    let units = UnitRows(try backend.download(features), columns: features.columns)
    try backend.upload(units.values, to: features)
    return units
  }

  /// From the gradient at the features, which it may overwrite, to that at the token states.
  func poolBackward(_ dx: Tensor, _ heads: Heads, _ run: TrainingRun) throws(ComputeError)
    -> Tensor?
  {
    guard let pooling else { return dx }
    if let units = heads.units {
      try backend.upload(units.backward(try backend.download(dx)), to: dx)
    }
    let states = run.take(run.sequences.layout.rows, dx.columns)
    try backend.poolBackward(
      dx, sequences: run.sequences, pooling: pooling == .normalizedMean ? .mean : pooling,
      into: states)
    return states
  }

  /// The losses, the heads' gradients, and if it is wanted the gradient at the token states.
  func backward(
    _ heads: Heads, _ parts: [Part], _ run: TrainingRun, wantsInput: Bool
  ) throws(ComputeError) -> Tensor? {
    guard !self.heads.isEmpty else {
      return try backward(vectors: heads, parts, run, wantsInput: wantsInput)
    }
    let (_, d) = takeLogits(parts, heads.rows, run)
    try addLosses(parts, heads.logits, d)
    let features = heads.features
    try backend.linearParameterGradient(
      items(parts, features, heads.rows, d) { ($0.weight.gradient, $0.bias.gradient) }, scale: 1)
    guard wantsInput else { return nil }
    let dx =
      pooling == nil
      ? run.take(features.rows, features.columns)
      : run.takeFloats(features.rows, features.columns)
    try backend.linearInputGradient(
      items(parts, dx, heads.rows, d) { ($0.weight.value, nil) }, scale: 1, adding: false)
    try run.drop(zip(parts, heads.rows).map { (dx.rows($1), $0.dropout.headSite) })
    return try poolBackward(dx, heads, run)
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

  private func addLosses(_ parts: [Part], _ logits: [Tensor], _ d: [Tensor]) throws(ComputeError) {
    var softmax: [SoftmaxItem] = []
    for (i, part) in parts.enumerated() {
      let value = loss(of: part.vbert)
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
      case .vectors: preconditionFailure("vectors are an embedder's, which has no head")
      }
    }
    if !softmax.isEmpty { try backend.softmaxLoss(softmax) }
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
    Self.workspaceBytes(
      rows: rows, layers: layers.count, adapter: adapter, outputs: outputs,
      keepsWide: layers.contains { $0.down.isTrained }, configuration: configuration)
  }

  /// The same of so many layers that do not exist yet. `keepsWide`: where the base's own maps train.
  static func workspaceBytes(
    rows: Int, layers: Int, adapter: AdapterSpec, outputs: Int, keepsWide: Bool = false,
    configuration: Configuration
  ) -> Int {
    let (hidden, wide) = (configuration.hiddenSize, configuration.intermediateSize)
    // Counted by hand from `TrainingLayer`: what forward keeps a layer, and backward's scratch.
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
    let columns = layers * kept + scratch + head + 2 * hidden
    // Every piece may be rounded up by 64 bytes.
    return rows * columns * MemoryLayout<Float>.size + 64 * (64 * layers + 64)
  }
}
