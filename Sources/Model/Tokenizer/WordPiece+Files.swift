extension WordPiece {
  /// From the bytes of a model directory's files, those that are there: tokenizer.json, else vocab.txt;
  /// what tokenizer_config.json says of case, accents and ideographs stands above tokenizer.json, as
  /// in the reference library.
  ///
  /// Throws what is wrong with the files; see `init(vocabulary:)` and `init(tokenizerJSON:)`.
  package init(
    tokenizerJSON: [UInt8]?, vocabulary: [UInt8]?, configuration: [UInt8]?,
    special: SpecialTokens = .bert
  ) throws(WordPieceError) {
    let settings = try configuration.map(TokenizerSettings.init(json:)) ?? TokenizerSettings()
    if let tokenizerJSON {
      try self.init(Self.file(tokenizerJSON), settings, special: special)
      return
    }
    guard let vocabulary else {
      throw .unreadable("the model has neither tokenizer.json nor vocab.txt")
    }
    try self.init(
      Vocabulary(lines: vocabulary), special: special, added: special.added,
      options: settings.options)
  }

  /// tokenizer.json of a tokeniser like BERT's; its truncation and padding are not used.
  ///
  /// Throws besides the vocabulary's errors where it is not JSON, or describes a tokeniser that
  /// would give other tokens than this one.
  package init(
    tokenizerJSON json: [UInt8], special: SpecialTokens = .bert
  ) throws(WordPieceError) {
    try self.init(Self.file(json), TokenizerSettings(), special: special)
  }

  private static func file(_ json: [UInt8]) throws(WordPieceError) -> TokenizerFile {
    // An escape can make a byte six times as long.
    let limit = 8 * TokenTrie.byteLimit
    guard json.count <= limit else { throw .tooLarge(byteCount: json.count, limit: limit) }
    return try TokenizerFile(json: json)
  }

  init(
    _ file: TokenizerFile, _ settings: TokenizerSettings, special: SpecialTokens
  ) throws(WordPieceError) {
    let options = settings.options(over: try file.options(), saysAccents: file.saysAccents())
    try self.init(
      Vocabulary(file), special: special, added: file.foundTokens(), options: options)
    let whole = self
    try file.checkFraming(special) { whole.id(of: $0) }
  }
}

extension SpecialTokens {
  /// As tokens that are found in the raw text.
  var added: [AddedToken] { all.map { AddedToken(id: -1, content: $0) } }
}

extension TokenizerFile {
  /// The added tokens, without the white space beside them where it is trimmed off again: then it
  /// changes nothing. Throws `unsupported` for what is not found as it should be.
  func foundTokens() throws(WordPieceError) -> [AddedToken] {
    let processor = root["post_processor"]
    let trims =
      processor?["type"]?.text == "RobertaProcessing" && processor?["trim_offsets"]?.flag == true
    return try added.map { (token) throws(WordPieceError) in
      var token = token
      if trims { (token.takesSpaceBefore, token.takesSpaceBehind) = (false, false) }
      guard !token.isNormalized || !token.takesSpaceBefore && !token.takesSpaceBehind else {
        throw .unsupported(
          "\(root.file): the added token \"\(token.content.clipped)\" has normalized true, and lstrip or "
            + "rstrip too, which is not done here; set normalized, or both of these, to false")
      }
      return token
    }
  }
}
