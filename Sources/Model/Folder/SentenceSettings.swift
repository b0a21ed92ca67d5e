/// sentence_bert_config.json, under any of the names that sentence-transformers looks for.
struct SentenceSettings {
  private static let files: [String] = [
    "bert", "roberta", "distilbert", "camembert", "albert", "xlm-roberta", "xlnet",
  ].map { "sentence_\($0)_config.json" }

  private(set) var maxLength: Int?

  /// `lowercase`: whether the tokeniser lower-cases. Throws `FolderProblem`, and what reading throws.
  init(_ files: FolderFiles, lowercase: Bool) throws {
    guard let name = Self.files.first(where: files.names.contains),
      let file = try files.object(name)
    else { return }
    try check(file, lowercase: lowercase)
    if let length = try file.whole("max_seq_length") {
      guard length >= 3 else {
        throw file.refused("max_seq_length", "3 is the least: [CLS], a token, [SEP]")
      }
      maxLength = length
    }
  }

  private func check(_ file: FileObject, lowercase: Bool) throws(FolderProblem) {
    if try file.flag("do_lower_case") == true, !lowercase {
      throw file.refused(
        "do_lower_case",
        "the tokeniser keeps case; say do_lower_case true in tokenizer_config.json where texts are "
          + "lower-cased")
    }
    if let task = try file.text("transformer_task"), task != "feature-extraction" {
      throw file.refused("transformer_task", "only feature-extraction is done here")
    }
    if let output = try file.text("module_output_name"), output != "token_embeddings" {
      throw file.refused("module_output_name", "only token_embeddings are pooled here")
    }
    try checkModality(file)
    for member in [
      "processing_kwargs", "tokenizer_args", "processor_kwargs", "config_args", "config_kwargs",
      "query_length", "document_length", "query_expansion",
    ] where file.says(member) {
      throw file.refused(
        member, "it changes how texts are read, and is not done here; save the model without it")
    }
  }

  /// What of the model's output is taken: its last states, where anything is said.
  private func checkModality(_ file: FileObject) throws(FolderProblem) {
    guard let modalities = try file.object("modality_config") else { return }
    guard let text = try modalities.object("text") else {
      throw file.refused("modality_config", "only text is read here")
    }
    for (member, expected) in [
      ("method", "forward"), ("method_output_name", "last_hidden_state"),
    ] {
      if let found = try text.text(member), found != expected {
        throw text.refused(member, "only \(expected) is done here")
      }
    }
  }
}
