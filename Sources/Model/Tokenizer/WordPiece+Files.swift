internal import Foundation

extension WordPiece {
  /// From the bytes of a model directory's files, those that are there: tokenizer.json, else
  /// vocab.txt with tokenizer_config.json's settings.
  ///
  /// Throws what is wrong with the files; see `init(vocabulary:)` and `init(tokenizerJSON:)`.
  package init(
    tokenizerJSON: [UInt8]?, vocabulary: [UInt8]?, configuration: [UInt8]?,
    special: SpecialTokens = .bert
  ) throws(WordPieceError) {
    if let tokenizerJSON {
      try self.init(tokenizerJSON: tokenizerJSON, special: special)
      return
    }
    guard let vocabulary else {
      throw .unreadable("the model has neither tokenizer.json nor vocab.txt")
    }
    let settings = try configuration.map(TokenizerSettings.init(json:)) ?? TokenizerSettings()
    try self.init(
      vocabulary: vocabulary, lowercase: settings.do_lower_case ?? true,
      stripAccents: settings.strip_accents,
      handleChineseCharacters: settings.tokenize_chinese_chars ?? true, special: special)
  }

  /// tokenizer.json of a tokeniser like BERT's; its truncation and padding are not used.
  ///
  /// Throws besides the vocabulary's errors where it is not JSON, or describes a tokeniser that
  /// would give other tokens than this one.
  package init(
    tokenizerJSON json: [UInt8], special: SpecialTokens = .bert
  ) throws(WordPieceError) {
    // An escape can make a byte six times as long.
    let limit = 8 * TokenTrie.byteLimit
    guard json.count <= limit else { throw .tooLarge(byteCount: json.count, limit: limit) }
    let file = try TokenizerFile(json: json)
    let options = try file.options(special)
    let added = file.added_tokens ?? []
    try self.init(
      Vocabulary(tokenizerJSON: json, added: added), special: special,
      found: added.map(\.content),
      anyCase: added.filter { $0.normalized == true && options.lowercase }.map(\.content),
      options: options)
  }
}

/// What tokenizer_config.json says about the tokeniser.
private struct TokenizerSettings: Decodable {
  var do_lower_case: Bool?
  var strip_accents: Bool?
  var tokenize_chinese_chars: Bool?

  init() {}

  init(json: [UInt8]) throws(WordPieceError) {
    do { self = try JSONDecoder().decode(TokenizerSettings.self, from: Data(json)) } catch {
      throw .unreadable("tokenizer_config.json: \(words(error))")
    }
  }
}
