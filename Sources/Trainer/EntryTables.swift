import Compute
import Model

/// The way into the upper layers of a skip base in training: merged n-gram states, plus the second
/// tables, LayerNorm.
struct EntryTables {
  /// Frozen where there is no gradient; from the row of a sequence's first token on.
  let position: (value: Tensor, gradient: Tensor?)
  /// nil where the architecture has none.
  let tokenType: (value: Tensor, gradient: Tensor?)?
  let norm: NormMap

  static let position = "embeddings.position_embeddings2.weight"
  static let tokenType = "embeddings.token_type_embeddings2.weight"

  /// `parameters` must hold the tables and the norm.
  init(_ parameters: ParameterSet, _ configuration: Configuration) {
    let position = parameters.require(EntryTables.position)
      .from(row: configuration.architecture.positionOffset)
    self.position = (position.value, position.gradient)
    tokenType = parameters[EntryTables.tokenType].map { ($0.value, $0.gradient) }
    norm = NormMap(parameters, "norm", epsilon: configuration.layerNormEpsilon)
  }

  /// All of it as it is.
  init(frozen: FrozenTensors, _ configuration: Configuration) {
    let table = frozen[EntryTables.position]
    position = (table.rows(configuration.architecture.positionOffset..<table.rows), nil)
    tokenType = configuration.tokenTypes > 0 ? (frozen[EntryTables.tokenType], nil) : nil
    norm = NormMap(
      norm: Normalization(
        gamma: frozen["norm.weight"], beta: frozen["norm.bias"],
        epsilon: configuration.layerNormEpsilon),
      gradients: nil)
  }

  static func initials(source: any TensorSource, configuration: Configuration) throws
    -> [ParameterSet.Initial]
  {
    let (hidden, types) = (configuration.hiddenSize, configuration.tokenTypes)
    return try [.init(reading: position, [configuration.positionRows, hidden], source)]
      + (types > 0 ? [.init(reading: tokenType, [types, hidden], source)] : [])
      + ["weight", "bias"].map { try .init(reading: "norm.\($0)", [hidden], source) }
  }

  /// merged [R, H] becomes the state that enters the first upper layer.
  func forward(_ merged: Tensor, batch: PackedBatch, _ run: TrainingRun) throws(ComputeError)
    -> SavedNorm
  {
    let saved = run.takeNorm(merged.rows, merged.columns)
    let mark = run.workspace.mark
    defer { run.workspace.reset(to: mark) }
    let row = run.take(merged.rows, merged.columns)
    for (table, indices) in [(position, batch.positions), (tokenType, batch.types)] {
      guard let table else { continue }
      try run.backend.gatherSum(table.value, indices: indices.values, terms: 1, into: row)
      try run.backend.add(row, scale: 1, to: merged)
    }
    try run.backend.addNormSaving(
      merged, residual: nil, norm: norm.norm, into: merged, saving: saved)
    return saved
  }

  /// d becomes the gradient at the merged states.
  func backward(_ d: Tensor, _ saved: SavedNorm, batch: PackedBatch, _ run: TrainingRun)
    throws(ComputeError)
  {
    try norm.backward(d, saved: saved, run.backend)
    for (table, indices) in [(position, batch.positions), (tokenType, batch.types)] {
      guard let gradient = table?.gradient else { continue }
      try run.backend.scatterAdd(d, indices: indices.values, terms: 1, to: gradient)
    }
  }
}

extension NormMap {
  /// A trained norm: `name`.weight and `name`.bias.
  init(_ parameters: ParameterSet, _ name: String, epsilon: Float) {
    let (gamma, beta) = (
      parameters.require("\(name).weight"), parameters.require("\(name).bias")
    )
    norm = Normalization(gamma: gamma.value, beta: beta.value, epsilon: epsilon)
    gradients = (gamma.gradient, beta.gradient)
  }
}

extension ParameterSet.Initial {
  init(reading name: String, _ shape: [Int], _ source: any TensorSource) throws {
    self.init(name, shape: shape, try source.floats(name, shape: shape))
  }
}
