/// What tokenizer.json and tokenizer_config.json say beside words and tokens.
enum TokenizerRest {
  private static let right: String = "texts are cut at their end here; set it to right"

  /// `cutsAtEnd`: whether tokenizer_config.json says the side, which stands above.
  static func check(_ root: FileObject, cutsAtEnd: Bool) throws(FolderProblem) {
    if !cutsAtEnd, let truncation = try root.object("truncation"),
      let side = try truncation.text("direction"), side != "Right"
    {
      throw truncation.refused("direction", right)
    }
    if let decoder = try root.object("decoder") {
      guard try decoder.text("type") == "WordPiece", try decoder.text("prefix") ?? "##" == "##"
      else {
        throw decoder.refused("type", "a tokeniser like BERT's has WordPiece with \"##\" there")
      }
    }
  }

  static func check(
    settings file: FileObject, _ configuration: Configuration
  ) throws(FolderProblem) {
    if file.says("auto_map") {
      throw file.refused("auto_map", "the tokeniser brings code of its own, which is not run")
    }
    let family = configuration.architecture
    if let name = try file.text("tokenizer_class"), !family.tokenizers.contains(plain(name)) {
      throw file.refused(
        "tokenizer_class",
        "models of \(family.name) are read with \(family.tokenizers.joined(separator: ", "))")
    }
    if let side = try file.text("truncation_side"), side != "right" {
      throw file.refused("truncation_side", right)
    }
    if try file.flag("split_special_tokens") == true {
      throw file.refused(
        "split_special_tokens", "special tokens in texts are found whole here; set it to false")
    }
    if configuration.tokenTypes > 1, let names = try file.texts("model_input_names"),
      !names.contains("token_type_ids")
    {
      throw file.refused(
        "model_input_names",
        "the second text of a pair is segment 1 here; add token_type_ids where the model was trained so"
      )
    }
  }

  private static func plain(_ name: String) -> String {
    name.hasSuffix("TokenizerFast") && name != "PreTrainedTokenizerFast"
      ? String(name.dropLast("Fast".count)) : name
  }
}

extension Architecture {
  /// Classes that read this family's texts as we do.
  fileprivate var tokenizers: [String] {
    let own =
      switch name {
      case Self.mpnet.name: ["MPNetTokenizer"]
      case Self.distilBert.name: ["DistilBertTokenizer", "BertTokenizer"]
      default: ["BertTokenizer", "ElectraTokenizer"]
      }
    return own + ["PreTrainedTokenizerFast", "TokenizersBackend"]
  }
}
