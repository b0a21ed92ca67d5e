package import Foundation

/// A BERT-family model's shape, as Hugging Face's config.json says it.
package struct Configuration: Sendable, Hashable {
  package var vocabularySize: Int
  package var hiddenSize: Int
  /// L, all layers, the local ones too.
  package var layerCount: Int
  package var headCount: Int
  package var intermediateSize: Int
  package var maxPositions: Int
  package var tokenTypes: Int
  package var layerNormEpsilon: Float
  /// k, how many lower layers are local: run over n-grams only and stored in the PLOT. 0: dense.
  package var skipDepth: Int

  package init(
    vocabularySize: Int, hiddenSize: Int, layerCount: Int, headCount: Int, intermediateSize: Int,
    maxPositions: Int, tokenTypes: Int = 2, layerNormEpsilon: Float = 1e-12, skipDepth: Int = 0
  ) {
    self.vocabularySize = vocabularySize
    self.hiddenSize = hiddenSize
    self.layerCount = layerCount
    self.headCount = headCount
    self.intermediateSize = intermediateSize
    self.maxPositions = maxPositions
    self.tokenTypes = tokenTypes
    self.layerNormEpsilon = layerNormEpsilon
    self.skipDepth = skipDepth
  }

  /// The layers computed over the whole sequence: skipDepth ..< layerCount.
  package var upperLayers: Range<Int> { skipDepth..<layerCount }
  package var isSkip: Bool { skipDepth > 0 }
}

extension Configuration {
  /// Reads config.json. Throws `ConfigurationError` that names the field.
  ///
  /// `num_full_hidden_layers` is SkipBERT's name for L - k; absent in ordinary models.
  package init(json: Data) throws(ConfigurationError) {
    let file: File
    do { file = try JSONDecoder().decode(File.self, from: json) } catch {
      throw .unreadable("\(error)")
    }
    if let type = file.model_type, !["bert", "skipbert"].contains(type) {
      throw .unsupported(field: "model_type", value: type, supported: "bert")
    }
    if let act = file.hidden_act, act != "gelu" {
      throw .unsupported(field: "hidden_act", value: act, supported: "gelu (exact)")
    }
    if let kind = file.position_embedding_type, kind != "absolute" {
      throw .unsupported(field: "position_embedding_type", value: kind, supported: "absolute")
    }
    self.init(
      vocabularySize: file.vocab_size, hiddenSize: file.hidden_size,
      layerCount: file.num_hidden_layers, headCount: file.num_attention_heads,
      intermediateSize: file.intermediate_size, maxPositions: file.max_position_embeddings,
      tokenTypes: file.type_vocab_size ?? 2, layerNormEpsilon: file.layer_norm_eps ?? 1e-12,
      skipDepth: 0)
    for (field, value, most) in [
      ("vocab_size", vocabularySize, 1 << 24), ("hidden_size", hiddenSize, 1 << 14),
      ("num_hidden_layers", layerCount, 256), ("num_attention_heads", headCount, 1 << 10),
      ("intermediate_size", intermediateSize, 1 << 16),
      ("max_position_embeddings", maxPositions, 1 << 16), ("type_vocab_size", tokenTypes, 1 << 10),
    ] where value < 1 || value > most {
      throw .outOfRange(field: field, value: value, range: 1...most)
    }
    guard hiddenSize % headCount == 0 else {
      throw .outOfRange(field: "num_attention_heads", value: headCount, range: 1...hiddenSize)
    }
    if let full = file.num_full_hidden_layers {
      guard full >= 1, full <= layerCount else {
        throw .outOfRange(field: "num_full_hidden_layers", value: full, range: 1...layerCount)
      }
      skipDepth = layerCount - full
    }
  }

  private struct File: Decodable {
    var model_type: String?
    var hidden_act: String?
    var position_embedding_type: String?
    var vocab_size: Int
    var hidden_size: Int
    var num_hidden_layers: Int
    var num_full_hidden_layers: Int?
    var num_attention_heads: Int
    var intermediate_size: Int
    var max_position_embeddings: Int
    var type_vocab_size: Int?
    var layer_norm_eps: Float?
  }
}

/// What can be wrong with a config.json.
package enum ConfigurationError: Error, Equatable, CustomStringConvertible {
  case unreadable(String)
  case unsupported(field: String, value: String, supported: String)
  case outOfRange(field: String, value: Int, range: ClosedRange<Int>)

  package var description: String {
    switch self {
    case .unreadable(let why): "config.json cannot be read: \(why)"
    case .unsupported(let field, let value, let supported):
      "config.json: \(field) is \"\(value)\"; supported: \(supported)"
    case .outOfRange(let field, let value, let range):
      "config.json: \(field) is \(value), outside \(range.lowerBound)...\(range.upperBound)"
    }
  }
}
