/// What a family's checkpoints call the tensors that we know by BERT's names. Names change once, at
/// import; all that reads a base reads one set of names.
package struct TensorNames: Sendable, Hashable {
  /// What may stand before every name: the encoder's place in a model with a head.
  package let prefixes: [String]
  /// Our part of a name, theirs; the first that a name contains is put in its place.
  private let parts: [Part]
  /// What their layers' names begin with; ours begin with `encoder.layer.`.
  private let layers: String

  private struct Part: Sendable, Hashable {
    let ours, theirs: String
  }

  private init(
    prefixes: [String], _ parts: KeyValuePairs<String, String> = [:],
    layers: String = TensorNames.layers
  ) {
    self.prefixes = prefixes
    self.layers = layers
    self.parts = parts.map { Part(ours: $0.key, theirs: $0.value) }
  }

  /// A tensor's name in a checkpoint, without prefix.
  package func original(of name: String) -> String {
    guard name.hasPrefix(Self.layers) else { return name }
    let rest = String(name.dropFirst(Self.layers.count))
    for part in parts {
      guard let range = rest.firstRange(of: part.ours) else { continue }
      return layers + rest[..<range.lowerBound] + part.theirs + rest[range.upperBound...]
    }
    return layers + rest
  }

  private static let layers: String = "encoder.layer."

  static let bert = TensorNames(prefixes: ["bert."])

  static let mpnet = TensorNames(
    prefixes: ["mpnet."],
    [
      ".attention.self.query.": ".attention.attn.q.", ".attention.self.key.": ".attention.attn.k.",
      ".attention.self.value.": ".attention.attn.v.",
      ".attention.output.dense.": ".attention.attn.o.",
      ".attention.output.LayerNorm.": ".attention.LayerNorm.",
    ])

  static let distilBert = TensorNames(
    prefixes: ["distilbert."],
    [
      ".attention.self.query.": ".attention.q_lin.", ".attention.self.key.": ".attention.k_lin.",
      ".attention.self.value.": ".attention.v_lin.",
      ".attention.output.dense.": ".attention.out_lin.",
      ".attention.output.LayerNorm.": ".sa_layer_norm.", ".intermediate.dense.": ".ffn.lin1.",
      ".output.dense.": ".ffn.lin2.", ".output.LayerNorm.": ".output_layer_norm.",
    ], layers: "transformer.layer.")
}
