import Compute
import Model

/// Token ids to the state that enters layer 0: word + position + token type, LayerNorm.
struct EmbeddingTraining {
  /// Frozen where there is no gradient.
  let word: (value: Tensor, gradient: Tensor?)
  /// From the row of a sequence's first token on.
  let position: Parameter
  /// nil where the architecture has none.
  let tokenType: Parameter?
  let norm: NormMap

  static let words: String = "embeddings.word_embeddings.weight"
  private static let positions: String = "embeddings.position_embeddings.weight"
  private static let types: String = "embeddings.token_type_embeddings.weight"
  private static let norm: String = "embeddings.LayerNorm"

  static func initialWords(source: any TensorSource, configuration: Configuration) throws
    -> ParameterSet.Initial
  {
    try .init(
      reading: words, [configuration.vocabularySize, configuration.hiddenSize], source)
  }

  /// All but the word embeddings.
  static func initials(source: any TensorSource, configuration: Configuration) throws
    -> [ParameterSet.Initial]
  {
    let (hidden, types) = (configuration.hiddenSize, configuration.tokenTypes)
    return try [.init(reading: positions, [configuration.positionRows, hidden], source)]
      + (types > 0 ? [.init(reading: self.types, [types, hidden], source)] : [])
      + ["weight", "bias"].map { try .init(reading: "\(norm).\($0)", [hidden], source) }
  }

  /// `frozenWords`: the word embeddings, where they are none of the parameters.
  init(_ parameters: ParameterSet, frozenWords: Tensor?, _ configuration: Configuration) {
    if let frozenWords {
      word = (frozenWords, nil)
    } else {
      let trained = parameters.require(EmbeddingTraining.words)
      word = (trained.value, trained.gradient)
    }
    position = parameters.require(EmbeddingTraining.positions)
      .from(row: configuration.architecture.positionOffset)
    tokenType = parameters[EmbeddingTraining.types]
    norm = NormMap(
      parameters, EmbeddingTraining.norm, epsilon: configuration.layerNormEpsilon)
  }

  struct Saved {
    let ids, positions, types: Indices
    let norm: SavedNorm
  }

  /// x [tokens, hidden].
  func forward(
    ids: Indices, positions: Indices, types: Indices, into x: Tensor, _ run: TrainingRun
  ) throws(ComputeError) -> Saved {
    let backend = run.backend
    let saved = run.takeNorm(x.rows, x.columns)
    let mark = run.workspace.mark
    defer { run.workspace.reset(to: mark) }
    let other = run.take(x.rows, x.columns)
    try backend.gatherSum(word.value, indices: ids.values, terms: 1, into: x)
    for (table, indices) in [(position, positions), (tokenType, types)] {
      guard let table else { continue }
      try backend.gatherSum(table.value, indices: indices.values, terms: 1, into: other)
      try backend.add(other, scale: 1, to: x)
    }
    try backend.addNormSaving(x, residual: nil, norm: norm.norm, into: x, saving: saved)
    return Saved(ids: ids, positions: positions, types: types, norm: saved)
  }

  /// d, the gradient at x, is used up.
  func backward(_ d: Tensor, _ saved: Saved, _ backend: any TrainableBackend)
    throws(ComputeError)
  {
    try norm.backward(d, saved: saved.norm, backend)
    if let gradient = word.gradient {
      try backend.scatterAdd(d, indices: saved.ids.values, terms: 1, to: gradient)
    }
    try backend.scatterAdd(d, indices: saved.positions.values, terms: 1, to: position.gradient)
    if let tokenType {
      try backend.scatterAdd(d, indices: saved.types.values, terms: 1, to: tokenType.gradient)
    }
  }
}
