package import Model

/// A base's tensors made of seeded noise on demand; each depends on its name and shape alone.
package struct RandomWeights: TensorSource {
  package let configuration: Configuration

  package init(configuration: Configuration) { self.configuration = configuration }

  /// Shapes are whatever is asked for.
  package func shape(_ name: String) throws -> [Int] {
    let (h, w) = (configuration.hiddenSize, configuration.intermediateSize)
    func ends(_ suffixes: String...) -> Bool { suffixes.contains { name.hasSuffix($0) } }
    if ends("word_embeddings.weight") { return [configuration.vocabularySize, h] }
    if ends("position_embeddings.weight", "position_embeddings2.weight") {
      return [configuration.positionRows, h]
    }
    if ends("token_type_embeddings.weight", "token_type_embeddings2.weight") {
      return [configuration.tokenTypes, h]
    }
    if name == RelativeBias.tensorName, let bias = configuration.architecture.relativeBias {
      return [bias.buckets, configuration.headCount]
    }
    if name == "attn.weight" { return [1, h] }
    if name == "attn.bias" { return [1] }
    if ends("LayerNorm.weight", "LayerNorm.bias", "norm.weight", "norm.bias") { return [h] }
    if ends("intermediate.dense.weight") { return [w, h] }
    if ends("intermediate.dense.bias") { return [w] }
    if !name.contains("attention"), ends("output.dense.weight") { return [h, w] }
    return name.hasSuffix(".weight") ? [h, h] : [h]
  }

  package func floats(_ name: String) throws -> [Float] {
    let shape = try shape(name)
    let count = shape.reduce(1, *)
    var state = name.utf8.reduce(UInt64(14_695_981_039_346_656_037)) {
      ($0 ^ UInt64($1)) &* 1_099_511_628_211
    }
    let centre: Float = name.hasSuffix("LayerNorm.weight") || name == "norm.weight" ? 1 : 0
    let scale: Float =
      shape.count == 2 && shape[0] > 4 && !name.contains("embeddings")
      ? 1.5 / Float(shape[1]).squareRoot() : 0.1
    return (0..<count).map { _ in
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return centre + scale * (Float(state >> 40) / Float(1 << 23) - 1)
    }
  }
}

extension Configuration {
  /// BERT-base, of which the six upper layers are computed.
  package static let base = Configuration(
    vocabularySize: 1000, hiddenSize: 768, layerCount: 12, headCount: 12, intermediateSize: 3072,
    maxPositions: 512, skipDepth: 6)
  /// MiniLM-L6, skip 2.
  package static let miniLM = Configuration(
    vocabularySize: 1000, hiddenSize: 384, layerCount: 6, headCount: 12, intermediateSize: 1536,
    maxPositions: 512, skipDepth: 2)
}
