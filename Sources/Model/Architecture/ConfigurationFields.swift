/// What a family's config.json calls sizes that all of them have.
package struct ConfigurationFields: Sendable, Hashable {
  let hidden, layers, heads, intermediate, activation: String
  /// Names that such files may have instead, by the family's own.
  let alias: [String: String]
  /// Whether `layer_norm_eps` counts: DistilBERT's is 1e-12, whatever its file says.
  let hasEpsilon: Bool

  static let bert = ConfigurationFields(
    hidden: "hidden_size", layers: "num_hidden_layers", heads: "num_attention_heads",
    intermediate: "intermediate_size", activation: "hidden_act",
    alias: [:], hasEpsilon: true)
  static let distilBert = ConfigurationFields(
    hidden: "dim", layers: "n_layers", heads: "n_heads", intermediate: "hidden_dim",
    activation: "activation",
    alias: [
      "dim": "hidden_size", "n_layers": "num_hidden_layers", "n_heads": "num_attention_heads",
    ],
    hasEpsilon: false)
}
