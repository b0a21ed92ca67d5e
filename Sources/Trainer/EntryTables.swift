import Compute
import Model

/// The way into the upper layers of a skip base in training: merged n-gram states, plus the second
/// tables, LayerNorm.
struct EntryTables {
  /// Frozen where there is no gradient.
  let position, tokenType: (value: Tensor, gradient: Tensor?)
  let norm: NormMap

  static let position = "embeddings.position_embeddings2.weight"
  static let tokenType = "embeddings.token_type_embeddings2.weight"

  /// `parameters` must hold the tables and the norm.
  init(_ parameters: ParameterSet, epsilon: Float) {
    let (position, tokenType) = (
      parameters.require(EntryTables.position), parameters.require(EntryTables.tokenType)
    )
    self.position = (position.value, position.gradient)
    self.tokenType = (tokenType.value, tokenType.gradient)
    norm = NormMap(parameters, "norm", epsilon: epsilon)
  }

  /// All of it as it is.
  init(frozen: FrozenTensors, epsilon: Float) {
    position = (frozen[EntryTables.position], nil)
    tokenType = (frozen[EntryTables.tokenType], nil)
    norm = NormMap(
      norm: Normalization(
        gamma: frozen["norm.weight"], beta: frozen["norm.bias"], epsilon: epsilon),
      gradients: nil)
  }

  static func initials(source: any TensorSource, configuration: Configuration) throws
    -> [ParameterSet.Initial]
  {
    let hidden = configuration.hiddenSize
    return try [
      .init(reading: position, [configuration.maxPositions, hidden], source),
      .init(reading: tokenType, [configuration.tokenTypes, hidden], source),
      .init(reading: "norm.weight", [hidden], source),
      .init(reading: "norm.bias", [hidden], source),
    ]
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
      try run.backend.gatherSum(table.value, indices: indices, terms: 1, into: row)
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
      guard let gradient = table.gradient else { continue }
      try run.backend.scatterAdd(d, indices: indices, terms: 1, to: gradient)
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
