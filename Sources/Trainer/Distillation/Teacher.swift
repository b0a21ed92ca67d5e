import Compute
import Model

/// The ordinary base that a student is held to: all its layers, frozen, by training operations, so
/// that both sides round alike.
final class Teacher {
  private let embeddings: FrozenTensors
  private let encoder: TrainingEncoder
  private let configuration: Configuration
  private let workspace: Workspace

  /// Throws what reading the weights and the backend throw.
  init(
    source: any TensorSource, configuration: Configuration, backend: any TrainableBackend,
    tokenBudget: Int
  ) throws {
    precondition(!configuration.isSkip)
    self.configuration = configuration
    let hidden = configuration.hiddenSize
    let types = configuration.tokenTypes
    embeddings = try FrozenTensors(
      [
        .init(reading: Self.words, [configuration.vocabularySize, hidden], source),
        .init(reading: Self.positions, [configuration.positionRows, hidden], source),
        .init(reading: "\(Self.norm).weight", [hidden], source),
        .init(reading: "\(Self.norm).bias", [hidden], source),
      ] + (types > 0 ? [.init(reading: Self.types, [types, hidden], source)] : []),
      backend: backend)
    encoder = try TrainingEncoder(
      0..<configuration.layerCount, source: source, configuration: configuration,
      parameters: try ParameterSet([], backend: backend), loraScale: 1, backend: backend)
    workspace = try Workspace(
      backend: backend,
      byteCount: encoder.workspaceBytes(rows: tokenBudget, adapter: .none, outputs: 0))
  }

  private static let words: String = "embeddings.word_embeddings.weight"
  private static let positions: String = "embeddings.position_embeddings.weight"
  private static let types: String = "embeddings.token_type_embeddings.weight"
  private static let norm: String = "embeddings.LayerNorm"

  /// What a student is held to, good until the next batch.
  struct Lesson {
    /// The states after layers `depth - 1` ..< all: as many as the student's.
    let states: [Tensor]
    /// Query, key and value of the layers from `depth` on.
    let queryKeyValues: [Tensor]
  }

  /// `depth`: the student's skip depth, at least 1.
  func teach(_ batch: PackedBatch, depth: Int) throws(ComputeError) -> Lesson {
    workspace.reset()
    let backend = encoder.backend
    let run = TrainingRun(
      backend: backend, sequences: try backend.place(batch.layout),
      heads: configuration.headCount, workspace: workspace, dropout: .none)
    let (rows, hidden) = (batch.ids.count, configuration.hiddenSize)
    let x = run.take(rows, hidden)
    let saved = run.takeNorm(rows, hidden)
    let mark = workspace.mark
    let other = run.take(rows, hidden)
    try backend.gatherSum(embeddings[Self.words], indices: batch.ids.values, terms: 1, into: x)
    let offset = Int32(configuration.architecture.positionOffset)
    var tables = [(Self.positions, batch.positions.values.map { $0 + offset })]
    if configuration.tokenTypes > 0 { tables.append((Self.types, batch.types.values)) }
    for (name, indices) in tables {
      try backend.gatherSum(embeddings[name], indices: indices, terms: 1, into: other)
      try backend.add(other, scale: 1, to: x)
    }
    workspace.reset(to: mark)
    let norm = Normalization(
      gamma: embeddings["\(Self.norm).weight"], beta: embeddings["\(Self.norm).bias"],
      epsilon: configuration.layerNormEpsilon)
    try backend.addNormSaving(x, residual: nil, norm: norm, into: x, saving: saved)
    let layers = try encoder.forward(x, from: .init(layer: 0, start: .input), run)
    return Lesson(
      states: layers[(depth - 1)...].map(\.result),
      queryKeyValues: layers[depth...].compactMap(\.attention?.qkv))
  }
}
