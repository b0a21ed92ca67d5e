package import Foundation

extension Configuration {
  /// Reads config.json. Throws `ConfigurationError` that names the field.
  ///
  /// `num_full_hidden_layers` is SkipBERT's name for L - k; absent in ordinary models.
  package init(json: Data) throws(ConfigurationError) {
    let file: File
    do { file = try JSONDecoder().decode(File.self, from: json) } catch {
      throw .unreadable("\(error)")
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
      maxPositions: try size("max_position_embeddings", 1 + offset...1 << 16) - offset,
      tokenTypes: architecture.hasTokenTypes
        ? try size("type_vocab_size", 1...1 << 10, default: 2) : 0,
      layerNormEpsilon: try file.number("layer_norm_eps") ?? 1e-12, skipDepth: 0,
      architecture: architecture)
    guard hiddenSize % headCount == 0 else {
      throw .outOfRange(field: fields.heads, value: headCount, range: 1...hiddenSize)
    }
    let full = try size("num_full_hidden_layers", 1...layerCount, default: layerCount)
    skipDepth = layerCount - full
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

  private func value<Value: Decodable>(_ field: String, _ type: Value.Type)
    throws(ConfigurationError) -> Value?
  {
    do { return try values.decodeIfPresent(type, forKey: Key(stringValue: field)) } catch {
      throw .unreadable("\(error)")
    }
  }

  func text(_ field: String) throws(ConfigurationError) -> String? {
    try value(field, String.self)
  }

  func number(_ field: String) throws(ConfigurationError) -> Float? {
    try value(field, Float.self)
  }

  func size(_ field: String, default standard: Int?) throws(ConfigurationError) -> Int {
    if let value = try value(field, Int.self) ?? standard { return value }
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
    guard let writers = try value("architectures", [String].self), let writer = writers.first
    else { throw .missing(field: "model_type") }
    guard let known = Architecture.writing(writer) else {
      throw .unsupported(field: "architectures", value: writer, supported: supported)
    }
    return known
  }
}
