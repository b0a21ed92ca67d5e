/// Fields that change what a model computes, beside its sizes. What the families' reference
/// implementations do not read, they may say; so may what only training, heads or generation read.
extension ConfigurationFile {
  private static let flags: [(field: String, why: String)] = [
    (
      "is_decoder",
      "a decoder's tokens see only those before them, here all of them; set it to false where the "
        + "model was trained as an encoder"
    ), ("is_encoder_decoder", "only encoders are computed"),
    ("add_cross_attention", "only encoders are computed, without attention to another model"),
  ]

  /// Fields that must say nothing: null, false, or an empty list or object.
  private static let absent: [(field: String, why: String)] = [
    (
      "auto_map",
      "the model brings code of its own, which is not run; remove it where the model is the plain one"
    ),
    (
      "quantization_config",
      "quantised weights are not read; save the model in float32, float16 or bfloat16"
    ),
    (
      "pruned_heads",
      "layers with fewer heads are not computed; take a model whose heads are all there"
    ),
    (
      "peft_type",
      "this is an adapter, not a model; merge it into its model (merge_and_unload) first"
    ),
  ]

  /// Throws `refused` or `unsupported` for the first field that says what is not done here.
  func checkMembers(_ fields: ConfigurationFields) throws(ConfigurationError) {
    // Two names of one function: x times the normal distribution's integral up to x.
    if let act = try text(fields.activation), act != "gelu", act != "gelu_python" {
      throw .unsupported(
        field: fields.activation, value: act.clipped,
        supported: "gelu (exact); another activation needs another model")
    }
    if let kind = try text("position_embedding_type"), kind != "absolute" {
      throw .unsupported(
        field: "position_embedding_type", value: kind.clipped, supported: "absolute")
    }
    for (field, why) in Self.flags where try flag(field) == true {
      throw .refused(field: field, value: "true", why: why)
    }
    for (field, why) in Self.absent where !isEmpty(field) {
      throw .refused(field: field, value: shown(field), why: why)
    }
    try checkAdapters()
  }

  /// AdapterHub's library writes into config.json which adapters are part of the model.
  private func checkAdapters() throws(ConfigurationError) {
    for part in ["adapters", "fusions"] where !isEmpty("adapters", part) {
      throw .refused(
        field: "adapters.\(part)", value: shown("adapters", part),
        why: "adapters inside a model are not read; save it without them")
    }
  }
}
