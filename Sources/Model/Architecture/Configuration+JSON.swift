package import Foundation

extension Configuration {
  /// Reads config.json. Throws `ConfigurationError` that names the field.
  ///
  /// `num_full_hidden_layers` is SkipBERT's name for L - k; absent in ordinary models.
  package init(json: Data) throws(ConfigurationError) {
    let file: File
    do { file = try JSONDecoder().decode(File.self, from: json) } catch {
      throw .unreadable("it is not a JSON object")
    }
    var architecture = try file.architecture()
    let fields = architecture.fields
    if let act = try file.text(fields.activation), act != "gelu" {
      throw .unsupported(field: fields.activation, value: act, supported: "gelu (exact)")
    }
    if let kind = try file.text("position_embedding_type"), kind != "absolute" {
      throw .unsupported(field: "position_embedding_type", value: kind, supported: "absolute")
    }
    func size(
      _ field: String, _ range: ClosedRange<Int>, default standard: Int? = nil
    ) throws(ConfigurationError) -> Int {
      let value = try file.size(field, default: standard)
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
      layerNormEpsilon: try Self.epsilon(file.number("layer_norm_eps")), skipDepth: 0,
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

/// config.json, whose fields have other names in other families.
private struct File: Decodable {
  private let values: KeyedDecodingContainer<Key>

  private struct Key: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init(from decoder: any Decoder) throws { values = try decoder.container(keyedBy: Key.self) }

  private func value<Value: Decodable>(_ field: String, _ type: Value.Type, _ expected: String)
    throws(ConfigurationError) -> Value?
  {
    do { return try values.decodeIfPresent(type, forKey: Key(stringValue: field)) } catch {
      throw .wrongKind(field: field, expected: expected)
    }
  }

  func text(_ field: String) throws(ConfigurationError) -> String? {
    try value(field, String.self, "text")
  }

  func number(_ field: String) throws(ConfigurationError) -> Float? {
    // A Double first: what is too small for a float is told by its value, not by its kind.
    try value(field, Double.self, "a number").map { Float($0) }
  }

  func size(_ field: String, default standard: Int?) throws(ConfigurationError) -> Int {
    if let value = try value(field, Int.self, "a whole number") ?? standard { return value }
    throw .missing(field: field)
  }

  /// What the file says it is; never a guess.
  func architecture() throws(ConfigurationError) -> Architecture {
    let supported = Architecture.all.map(\.name).joined(separator: ", ")
    if let type = try text("model_type") {
      guard let known = Architecture.named(type) else {
        throw .unsupported(field: "model_type", value: type, supported: supported)
      }
      return known
    }
    guard let writers = try value("architectures", [String].self, "a list of names"),
      let writer = writers.first
    else { throw .missing(field: "model_type") }
    guard let known = Architecture.writing(writer) else {
      throw .unsupported(field: "architectures", value: writer, supported: supported)
    }
    return known
  }
}
