package import Compute

/// The shared base on a device: tables, norms and all layers, prepared. Immutable; any lane of the
/// device that it was prepared for may run it, several at once.
package final class BaseModel: Sendable {
  package let configuration: Configuration
  /// How states are stored between operations.
  package let activationType: ElementType
  let layers: [Layer]
  let embedding: EmbeddingTables
  let embeddingNorm: Normalization
  /// What all layers' scores are given by distance, [heads, 2 longest - 1]; nil where the architecture
  /// has none.
  let bias: Tensor?
  /// What a skip base has beyond an ordinary one; nil for k = 0.
  let skip: Skip?
  private let parameters: Parameters

  /// The second tables and norm, added after the merge, and the local layers' gate.
  struct Skip: Sendable {
    let tables: EmbeddingTables
    let norm: Normalization
    /// [1, hidden].
    let gate: Tensor
    let gateBias: Float
  }

  /// Throws what the source or the backend throws; names are Hugging Face's and SkipBERT's.
  package init(
    source: any TensorSource, configuration: Configuration, backend: any Backend
  ) throws {
    let parameters = try Parameters(
      BaseModel.smallTensors(configuration), from: BaseModel.completed(source, configuration),
      backend: backend)
    let epsilon = configuration.layerNormEpsilon
    self.configuration = configuration
    self.parameters = parameters
    activationType = backend.activationType
    embedding = EmbeddingTables(
      word: try parameters.table("embeddings.word_embeddings.weight"),
      position: try parameters.positions("embeddings.position_embeddings.weight", configuration),
      tokenType: try parameters.table("embeddings.token_type_embeddings.weight"))
    embeddingNorm = Normalization(
      gamma: try parameters.row("embeddings.LayerNorm.weight"),
      beta: try parameters.row("embeddings.LayerNorm.bias"), epsilon: epsilon)
    bias = try configuration.architecture.relativeBias.map { _ in
      try parameters.table(BaseModel.spreadBias)
    }
    layers = try (0..<configuration.layerCount).map {
      try Layer(
        number: $0, source: source, configuration: configuration, parameters: parameters,
        backend: backend)
    }
    skip =
      configuration.isSkip
      ? Skip(
        tables: EmbeddingTables(
          word: nil,
          position: try parameters.positions(
            "embeddings.position_embeddings2.weight", configuration),
          tokenType: try parameters.table("embeddings.token_type_embeddings2.weight")),
        norm: Normalization(
          gamma: try parameters.row("norm.weight"), beta: try parameters.row("norm.bias"),
          epsilon: epsilon),
        gate: try parameters.row("attn.weight"),
        gateBias: try source.floats("attn.bias", shape: [1])[0])
      : nil
  }

  /// Not a checkpoint's: the table of biases, spread over all distances.
  private static let spreadBias: String = "relative_attention_bias, spread"

  /// `source` with what the architecture leaves out or has in another form: where there are no token
  /// types, all tokens are of one whose embedding is zeros.
  private static func completed(
    _ source: any TensorSource, _ configuration: Configuration
  ) throws -> any TensorSource {
    let hidden = configuration.hiddenSize
    var extra = MemoryTensors()
    if configuration.tokenTypes == 0 {
      for name in ["token_type_embeddings", "token_type_embeddings2"] {
        extra.set(
          "embeddings.\(name).weight", shape: [1, hidden], [Float](repeating: 0, count: hidden))
      }
    }
    if let bias = configuration.architecture.relativeBias {
      let (heads, length) = (configuration.headCount, configuration.maxPositions)
      let table = try source.floats(RelativeBias.tensorName, shape: [bias.buckets, heads])
      extra.set(
        spreadBias, shape: [heads, 2 * length - 1],
        bias.spread(table, heads: heads, length: length))
    }
    return extra.names.isEmpty ? source : LayeredTensors(upper: extra, lower: source)
  }

  private static func smallTensors(_ configuration: Configuration) -> [(String, [Int])] {
    let hidden = configuration.hiddenSize
    var list: [(String, [Int])] = [
      ("embeddings.word_embeddings.weight", [configuration.vocabularySize, hidden]),
      ("embeddings.position_embeddings.weight", [configuration.positionRows, hidden]),
      ("embeddings.token_type_embeddings.weight", [configuration.segments, hidden]),
      ("embeddings.LayerNorm.weight", [hidden]),
      ("embeddings.LayerNorm.bias", [hidden]),
    ]
    for layer in 0..<configuration.layerCount {
      for norm in ["attention.output.LayerNorm", "output.LayerNorm"] {
        list.append(("encoder.layer.\(layer).\(norm).weight", [hidden]))
        list.append(("encoder.layer.\(layer).\(norm).bias", [hidden]))
      }
    }
    if configuration.architecture.relativeBias != nil {
      list.append((spreadBias, [configuration.headCount, 2 * configuration.maxPositions - 1]))
    }
    if configuration.isSkip {
      list += [
        ("embeddings.position_embeddings2.weight", [configuration.positionRows, hidden]),
        ("embeddings.token_type_embeddings2.weight", [configuration.segments, hidden]),
        ("norm.weight", [hidden]), ("norm.bias", [hidden]), ("attn.weight", [1, hidden]),
      ]
    }
    return list
  }
}
