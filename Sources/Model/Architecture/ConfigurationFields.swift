/// What a family's config.json calls sizes that all of them have.
package struct ConfigurationFields: Sendable, Hashable {
  let hidden, layers, heads, intermediate, activation: String

  static let bert = ConfigurationFields(
    hidden: "hidden_size", layers: "num_hidden_layers", heads: "num_attention_heads",
    intermediate: "intermediate_size", activation: "hidden_act")
  static let distilBert = ConfigurationFields(
    hidden: "dim", layers: "n_layers", heads: "n_heads", intermediate: "hidden_dim",
    activation: "activation")
}
