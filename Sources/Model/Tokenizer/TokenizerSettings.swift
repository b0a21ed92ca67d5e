/// What tokenizer_config.json says about how text becomes ids.
struct TokenizerSettings {
  static let file: String = "tokenizer_config.json"

  var lowercase: Bool?
  var stripAccents: Bool?
  var spacesIdeographs: Bool?
  /// Whether the class it names takes tokenizer.json as it is, and these settings for nothing.
  var yieldsToTokenizerFile = false

  init() {}

  init(json: [UInt8]) throws(WordPieceError) {
    do throws(FolderProblem) { try self.init(FileObject(Self.file, json)) } catch {
      throw WordPieceError(error)
    }
  }

  init(_ file: FileObject) throws(FolderProblem) {
    lowercase = try file.flag("do_lower_case")
    stripAccents = try file.flag("strip_accents")
    spacesIdeographs = try file.flag("tokenize_chinese_chars")
    yieldsToTokenizerFile = ["PreTrainedTokenizerFast", "TokenizersBackend"]
      .contains(try file.text("tokenizer_class"))
  }

  /// Of a folder without tokenizer.json, and what the reference library takes beside one too: what is
  /// not said is BERT's.
  var options: BasicNormalizer.Options {
    BasicNormalizer.Options(
      lowercase: lowercase ?? true, stripAccents: stripAccents ?? lowercase ?? true,
      spacesIdeographs: spacesIdeographs ?? true)
  }

  /// tokenizer.json's settings, with what is said here in their place. `saysAccents`: whether that
  /// file does, and not only by lower-casing.
  func options(over file: BasicNormalizer.Options, saysAccents: Bool) -> BasicNormalizer.Options {
    guard !yieldsToTokenizerFile else { return file }
    let lowercase = lowercase ?? file.lowercase
    return BasicNormalizer.Options(
      lowercase: lowercase,
      stripAccents: stripAccents ?? (saysAccents ? file.stripAccents : lowercase),
      spacesIdeographs: spacesIdeographs ?? file.spacesIdeographs)
  }
}
