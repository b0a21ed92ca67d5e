import Compute
import Model

/// The local layers in training: the distinct n-grams of a batch are computed once, merged where
/// they occur, and their gradients are summed over all places.
struct LocalTraining {
  /// Frozen where there is no gradient.
  let word: (value: Tensor, gradient: Tensor?)
  let position, tokenType: Parameter
  let embeddingNorm: NormMap
  let layers: [TrainingLayer]
  let gate, gateBias: Parameter

  static let words: String = "embeddings.word_embeddings.weight"

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
    let hidden = configuration.hiddenSize
    var list: [ParameterSet.Initial] = try [
      .init(
        reading: "embeddings.position_embeddings.weight", [configuration.maxPositions, hidden],
        source),
      .init(
        reading: "embeddings.token_type_embeddings.weight", [configuration.tokenTypes, hidden],
        source),
      .init(reading: "embeddings.LayerNorm.weight", [hidden], source),
      .init(reading: "embeddings.LayerNorm.bias", [hidden], source),
      .init(reading: "attn.weight", [1, hidden], source),
      .init(reading: "attn.bias", [1], source),
    ]
    for layer in 0..<configuration.skipDepth {
      list += try TrainingLayer.initials(layer, source: source, configuration: configuration)
    }
    return list
  }

  /// `layers`: the local ones, trained. `frozenWords`: the word embeddings, where they are none of
  /// the parameters.
  init(
    _ parameters: ParameterSet, frozenWords: Tensor?, layers: [TrainingLayer], epsilon: Float
  ) {
    if let frozenWords {
      word = (frozenWords, nil)
    } else {
      let trained = parameters.require(LocalTraining.words)
      word = (trained.value, trained.gradient)
    }
    position = parameters.require("embeddings.position_embeddings.weight")
    tokenType = parameters.require("embeddings.token_type_embeddings.weight")
    embeddingNorm = NormMap(parameters, "embeddings.LayerNorm", epsilon: epsilon)
    self.layers = layers
    gate = parameters.require("attn.weight")
    gateBias = parameters.require("attn.bias")
  }

  struct Saved {
    let batch: LocalBatch
    let run: TrainingRun
    let norm: SavedNorm
    let layers: [TrainingLayer.Saved]
    let opening: Tensor
  }

  /// merged [R, H] of a batch.
  func forward(_ batch: LocalBatch, into merged: Tensor, _ run: TrainingRun)
    throws(ComputeError) -> Saved
  {
    let backend = run.backend
    let tokens = batch.tokens
    let inner = TrainingRun(
      backend: backend, sequences: try backend.place(tokens.layout), heads: run.heads,
      workspace: run.workspace, dropout: .none)
    let (rows, hidden) = (tokens.ids.count, merged.columns)
    let x = run.take(rows, hidden)
    let norm = run.takeNorm(rows, hidden)
    let other = run.take(rows, hidden)
    try backend.gatherSum(word.value, indices: tokens.ids, terms: 1, into: x)
    for (table, indices) in [(position, tokens.positions), (tokenType, zeros(rows))] {
      try backend.gatherSum(table.value, indices: indices, terms: 1, into: other)
      try backend.add(other, scale: 1, to: x)
    }
    try backend.addNormSaving(x, residual: nil, norm: embeddingNorm.norm, into: x, saving: norm)
    var saved: [TrainingLayer.Saved] = []
    for layer in layers {
      saved.append(try layer.forward(saved.last?.result ?? x, from: .input, inner))
    }
    let opening = run.take(1, rows)
    try backend.applyGateSaving(
      saved.last?.result ?? x, gate: gate.value, bias: gateBias.value, into: other,
      opening: opening)
    try backend.gatherSum(other, indices: batch.merge, terms: 3, into: merged)
    return Saved(batch: batch, run: inner, norm: norm, layers: saved, opening: opening)
  }

  /// d [R, H]: the gradient at the merged states.
  func backward(_ d: Tensor, _ saved: Saved) throws(ComputeError) {
    let run = saved.run
    let backend = run.backend
    guard let last = saved.layers.last else { return }
    let tokens = saved.batch.tokens
    let dx = run.take(tokens.ids.count, d.columns)
    try backend.fill(dx, with: 0)
    try backend.scatterAdd(d, indices: saved.batch.merge, terms: 3, to: dx)
    try backend.gateBackward(
      dx, x: last.result, gate: gate.value, opening: saved.opening,
      gradients: (gate.gradient, gateBias.gradient))
    for (layer, kept) in zip(layers, saved.layers).reversed() {
      try layer.backward(dx, kept, wantsInput: true, run)
    }
    try embeddingNorm.backward(dx, saved: saved.norm, backend)
    if let gradient = word.gradient {
      try backend.scatterAdd(dx, indices: tokens.ids, terms: 1, to: gradient)
    }
    try backend.scatterAdd(dx, indices: tokens.positions, terms: 1, to: position.gradient)
    try backend.scatterAdd(dx, indices: zeros(dx.rows), terms: 1, to: tokenType.gradient)
  }

  private func zeros(_ count: Int) -> [Int32] { [Int32](repeating: 0, count: count) }
}
