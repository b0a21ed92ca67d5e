package import Foundation

extension Configuration {
  /// Reads config.json. Throws `ConfigurationError` that names the field.
  ///
  /// `num_full_hidden_layers` is SkipBERT's name for L - k; absent in ordinary models.
  package init(json: Data) throws(ConfigurationError) {
    let file = try ConfigurationFile(json: Array(json))
    var architecture = try file.architecture()
    let fields = architecture.fields
    try file.checkMembers(fields)
    func size(
      _ field: String, _ range: ClosedRange<Int>, default standard: Int? = nil
    ) throws(ConfigurationError) -> Int {
      let value = try file.size(field, alias: fields.alias[field], default: standard)
      guard range.contains(value) else {
        throw .outOfRange(field: field, value: value, range: range)
      }
      return value
    }
    let offset = architecture.positionOffset
    if let bias = architecture.relativeBias {
      let buckets = try size("relative_attention_num_buckets", 4...1 << 10, default: bias.buckets)
      architecture.relativeBias = RelativeBias(buckets: buckets & ~1, farthest: bias.farthest)
    }
    self.init(
      vocabularySize: try size("vocab_size", 1...1 << 24),
      hiddenSize: try size(fields.hidden, 1...1 << 14),
      layerCount: try size(fields.layers, 1...256),
      headCount: try size(fields.heads, 1...1 << 10),
      intermediateSize: try size(fields.intermediate, 1...1 << 16),
      // [CLS], one token, [SEP]; and an n-gram's three.
      maxPositions: try size("max_position_embeddings", 3 + offset...1 << 16) - offset,
      tokenTypes: architecture.hasTokenTypes
        ? try size("type_vocab_size", 1...1 << 10, default: 2) : 0,
      layerNormEpsilon: try Self.epsilon(
        fields.hasEpsilon ? file.number("layer_norm_eps") : nil), skipDepth: 0,
      architecture: architecture)
    guard hiddenSize % headCount == 0 else {
      throw .indivisible(
        field: fields.heads, value: headCount, width: fields.hidden, by: hiddenSize)
    }
    let full = try size("num_full_hidden_layers", 1...layerCount, default: layerCount)
    skipDepth = layerCount - full
  }

  /// What is added to a variance before its root is taken. Families have 1e-12 to 1e-5; at the upper end
  /// it would drown the variance of states, below the lower one its root's inverse leaves float32.
  package static let epsilons: ClosedRange<Float> = 1e-30...0.1

  private static func epsilon(_ value: Float?) throws(ConfigurationError) -> Float {
    let value = value ?? 1e-12
    guard epsilons.contains(value) else {
      throw .badNumber(field: "layer_norm_eps", value: value, range: epsilons)
    }
    return value
  }
}
