extension Configuration {
  /// The embeddings' names and shapes; the norm after them too.
  private var embeddingTensors: [(name: String, shape: [Int])] {
    [
      ("embeddings.word_embeddings.weight", [vocabularySize, hiddenSize]),
      ("embeddings.position_embeddings.weight", [positionRows, hiddenSize]),
    ]
      + typeTable("embeddings.token_type_embeddings.weight")
      + [
        ("embeddings.LayerNorm.weight", [hiddenSize]), ("embeddings.LayerNorm.bias", [hiddenSize]),
      ]
  }

  /// The table of token types, where the architecture has one.
  private func typeTable(_ name: String) -> [(name: String, shape: [Int])] {
    tokenTypes > 0 ? [(name, [tokenTypes, hiddenSize])] : []
  }

  /// The one table of relative position biases, where the architecture has it.
  private var biasTensors: [(name: String, shape: [Int])] {
    architecture.relativeBias.map { [(RelativeBias.tensorName, [$0.buckets, headCount])] } ?? []
  }

  private func layerTensors(_ layer: Int) -> [(name: String, shape: [Int])] {
    let (hidden, wide) = (hiddenSize, intermediateSize)
    let maps = [
      ("attention.self.query", hidden, hidden), ("attention.self.key", hidden, hidden),
      ("attention.self.value", hidden, hidden), ("attention.output.dense", hidden, hidden),
      ("intermediate.dense", wide, hidden), ("output.dense", hidden, wide),
    ]
    let name = "encoder.layer.\(layer)"
    return maps.flatMap { part, outputs, inputs in
      [("\(name).\(part).weight", [outputs, inputs]), ("\(name).\(part).bias", [outputs])]
    }
      + ["attention.output.LayerNorm", "output.LayerNorm"].flatMap {
        [("\(name).\($0).weight", [hidden]), ("\(name).\($0).bias", [hidden])]
      }
  }

  /// What a skip base has beyond an ordinary one (SkipBERT's names): the second tables and the norm
  /// after the merge, and the local layers' gate.
  package var skipTensors: [(name: String, shape: [Int])] {
    guard isSkip else { return [] }
    return [("embeddings.position_embeddings2.weight", [positionRows, hiddenSize])]
      + typeTable("embeddings.token_type_embeddings2.weight") + [
        ("norm.weight", [hiddenSize]), ("norm.bias", [hiddenSize]),
        ("attn.weight", [1, hiddenSize]), ("attn.bias", [1]),
      ]
  }

  /// Every tensor that a model of this configuration needs, under Hugging Face's names.
  package var tensors: [(name: String, shape: [Int])] {
    embeddingTensors + (0..<layerCount).flatMap(layerTensors) + biasTensors + skipTensors
  }
}
