import Compute
import Model

/// The local layers in training: the distinct n-grams of a batch are computed once, merged where
/// they occur, and their gradients are summed over all places.
struct LocalTraining {
  let embeddings: EmbeddingTraining
  let layers: [TrainingLayer]
  let gate, gateBias: Parameter

  /// All but the word embeddings.
  static func initials(source: any TensorSource, configuration: Configuration) throws
    -> [ParameterSet.Initial]
  {
    var list = try EmbeddingTraining.initials(source: source, configuration: configuration)
    list.append(try .init(reading: "attn.weight", [1, configuration.hiddenSize], source))
    list.append(try .init(reading: "attn.bias", [1], source))
    for layer in 0..<configuration.skipDepth {
      list += try TrainingLayer.initials(layer, source: source, configuration: configuration)
    }
    return list
  }

  /// `layers`: the local ones, trained.
  init(
    _ parameters: ParameterSet, embeddings: EmbeddingTraining, layers: [TrainingLayer]
  ) {
    self.embeddings = embeddings
    self.layers = layers
    gate = parameters.require("attn.weight")
    gateBias = parameters.require("attn.bias")
  }

  struct Saved {
    let batch: LocalBatch
    let run: TrainingRun
    let embedded: EmbeddingTraining.Saved
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
    let embedded = try embeddings.forward(
      ids: tokens.ids, positions: tokens.positions, types: Indices(zeros: rows),
      into: x, inner)
    var saved: [TrainingLayer.Saved] = []
    for layer in layers {
      saved.append(try layer.forward(saved.last?.result ?? x, from: .input, inner))
    }
    let opening = run.takeFloats(1, rows)
    let gated = run.take(rows, hidden)
    try backend.applyGateSaving(
      saved.last?.result ?? x, gate: gate.value, bias: gateBias.value, into: gated,
      opening: opening)
    try backend.gatherSum(gated, indices: batch.merge, terms: 3, into: merged)
    return Saved(batch: batch, run: inner, embedded: embedded, layers: saved, opening: opening)
  }

  /// d [R, H]: the gradient at the merged states.
  func backward(_ d: Tensor, _ saved: Saved) throws(ComputeError) {
    let run = saved.run
    let backend = run.backend
    guard let last = saved.layers.last else { return }
    let dx = run.take(saved.batch.tokens.ids.count, d.columns)
    try backend.fill(dx, with: 0)
    try backend.scatterAdd(d, indices: saved.batch.merge, terms: 3, to: dx)
    try backend.gateBackward(
      dx, x: last.result, gate: gate.value, opening: saved.opening,
      gradients: (gate.gradient, gateBias.gradient))
    for (layer, kept) in zip(layers, saved.layers).reversed() {
      try layer.backward(dx, kept, wantsInput: true, run)
    }
    try embeddings.backward(dx, saved.embedded, backend)
  }
}
