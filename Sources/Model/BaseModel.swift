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
      BaseModel.smallTensors(configuration), from: source, backend: backend)
    let epsilon = configuration.layerNormEpsilon
    self.configuration = configuration
    self.parameters = parameters
    activationType = backend.activationType
    embedding = EmbeddingTables(
      word: try parameters.table("embeddings.word_embeddings.weight"),
      position: try parameters.table("embeddings.position_embeddings.weight"),
      tokenType: try parameters.table("embeddings.token_type_embeddings.weight"))
    embeddingNorm = Normalization(
      gamma: try parameters.row("embeddings.LayerNorm.weight"),
      beta: try parameters.row("embeddings.LayerNorm.bias"), epsilon: epsilon)
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
          position: try parameters.table("embeddings.position_embeddings2.weight"),
          tokenType: try parameters.table("embeddings.token_type_embeddings2.weight")),
        norm: Normalization(
          gamma: try parameters.row("norm.weight"), beta: try parameters.row("norm.bias"),
          epsilon: epsilon),
        gate: try parameters.row("attn.weight"),
        gateBias: try source.floats("attn.bias", shape: [1])[0])
      : nil
  }

  private static func smallTensors(_ configuration: Configuration) -> [(String, [Int])] {
    let hidden = configuration.hiddenSize
    var list: [(String, [Int])] = [
      ("embeddings.word_embeddings.weight", [configuration.vocabularySize, hidden]),
      ("embeddings.position_embeddings.weight", [configuration.maxPositions, hidden]),
      ("embeddings.token_type_embeddings.weight", [configuration.tokenTypes, hidden]),
      ("embeddings.LayerNorm.weight", [hidden]),
      ("embeddings.LayerNorm.bias", [hidden]),
    ]
    for layer in 0..<configuration.layerCount {
      for norm in ["attention.output.LayerNorm", "output.LayerNorm"] {
        list.append(("encoder.layer.\(layer).\(norm).weight", [hidden]))
        list.append(("encoder.layer.\(layer).\(norm).bias", [hidden]))
      }
    }
    if configuration.isSkip {
      list += [
        ("embeddings.position_embeddings2.weight", [configuration.maxPositions, hidden]),
        ("embeddings.token_type_embeddings2.weight", [configuration.tokenTypes, hidden]),
        ("norm.weight", [hidden]), ("norm.bias", [hidden]), ("attn.weight", [1, hidden]),
      ]
    }
    return list
  }
}
