import Compute
import Model

/// The local layers in training: the distinct n-grams of a batch are computed once, merged where
/// they occur, and their gradients are summed over all places.
struct LocalTraining {
  let word, position, tokenType: Parameter
  let embeddingNorm: NormMap
  let layers: [TrainingLayer]
  let gate, gateBias: Parameter

  static func initials(source: any TensorSource, configuration: Configuration) throws
    -> [ParameterSet.Initial]
  {
    let hidden = configuration.hiddenSize
    var list: [ParameterSet.Initial] = try [
      .init(
        reading: "embeddings.word_embeddings.weight", [configuration.vocabularySize, hidden], source
      ),
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

  /// `layers`: the local ones, trained.
  init(_ parameters: ParameterSet, layers: [TrainingLayer], epsilon: Float) {
    word = parameters.require("embeddings.word_embeddings.weight")
    position = parameters.require("embeddings.position_embeddings.weight")
    tokenType = parameters.require("embeddings.token_type_embeddings.weight")
    embeddingNorm = NormMap(parameters, "embeddings.LayerNorm", epsilon: epsilon)
    self.layers = layers
    gate = parameters.require("attn.weight")
    gateBias = parameters.require("attn.bias")
  }

  struct Saved {
    let tokens: PackedNGrams
    let run: TrainingRun
    let norm: SavedNorm
    let layers: [TrainingLayer.Saved]
    let opening: Tensor
    /// [R x 3] rows of the gated states that each token sums; -1 none.
    let merge: [Int32]
  }

  /// merged [R, H] of a batch whose tokens have the n-grams `grams`.
  func forward(
    _ grams: [NGram], layout: SequenceLayout, into merged: Tensor, _ run: TrainingRun
  ) throws(ComputeError) -> Saved {
    let backend = run.backend
    let (distinct, numbers) = LocalTraining.distinct(grams)
    let tokens = PackedNGrams(distinct[...])
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
    let merge = LocalTraining.merge(numbers, layout: layout, tokens: tokens, grams: distinct.count)
    try backend.gatherSum(other, indices: merge, terms: 3, into: merged)
    return Saved(
      tokens: tokens, run: inner, norm: norm, layers: saved, opening: opening, merge: merge)
  }

  /// d [R, H]: the gradient at the merged states.
  func backward(_ d: Tensor, _ saved: Saved) throws(ComputeError) {
    let run = saved.run
    let backend = run.backend
    guard let last = saved.layers.last else { return }
    let dx = run.take(saved.tokens.ids.count, d.columns)
    try backend.fill(dx, with: 0)
    try backend.scatterAdd(d, indices: saved.merge, terms: 3, to: dx)
    try backend.gateBackward(
      dx, x: last.result, gate: gate.value, opening: saved.opening,
      gradients: (gate.gradient, gateBias.gradient))
    for (layer, kept) in zip(layers, saved.layers).reversed() {
      try layer.backward(dx, kept, wantsInput: true, run)
    }
    try embeddingNorm.backward(dx, saved: saved.norm, backend)
    let tokens = saved.tokens
    try backend.scatterAdd(dx, indices: tokens.ids, terms: 1, to: word.gradient)
    try backend.scatterAdd(dx, indices: tokens.positions, terms: 1, to: position.gradient)
    try backend.scatterAdd(dx, indices: zeros(dx.rows), terms: 1, to: tokenType.gradient)
  }

  private func zeros(_ count: Int) -> [Int32] { [Int32](repeating: 0, count: count) }

  /// The distinct n-grams in order of appearance, and each token's number among them.
  private static func distinct(_ grams: [NGram]) -> (grams: [NGram], numbers: [Int]) {
    var (found, list): ([NGram: Int], [NGram]) = ([:], [])
    let numbers = grams.map { gram in
      if let number = found[gram] { return number }
      found[gram] = list.count
      list.append(gram)
      return list.count - 1
    }
    return (list, numbers)
  }

  /// Token t sums its own n-gram's centre, the next one's left and the previous one's right.
  private static func merge(
    _ numbers: [Int], layout: SequenceLayout, tokens: PackedNGrams, grams: Int
  ) -> [Int32] {
    var rows = [Int32](repeating: -1, count: 3 * grams)
    for (row, slot) in tokens.slots.enumerated() { rows[slot] = Int32(row) }
    var indices: [Int32] = []
    indices.reserveCapacity(3 * numbers.count)
    for i in 0..<layout.count {
      let range = layout.rows(of: i)
      for t in range {
        indices.append(rows[3 * numbers[t] + 1])
        indices.append(t + 1 < range.upperBound ? rows[3 * numbers[t + 1]] : -1)
        indices.append(t > range.lowerBound ? rows[3 * numbers[t - 1] + 2] : -1)
      }
    }
    return indices
  }
}
