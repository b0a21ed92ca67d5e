/// The files of a folder that say how text becomes ids, held against each other: `WordPiece` reads
/// tokenizer.json or vocab.txt with tokenizer_config.json; what the others say, or those say elsewhere,
/// must be the same or is refused.
struct FolderTokens {
  /// How the tokeniser normalises.
  let options: BasicNormalizer.Options
  /// `model_max_length`, where it bounds anything.
  private(set) var maxLength: Int?

  /// What only the tokenisers of other families have, and what they are.
  private static let otherVocabularies: [(file: String, kind: String)] = [
    ("spiece.model", "SentencePiece"), ("sentencepiece.bpe.model", "SentencePiece"),
    ("tokenizer.model", "SentencePiece"), ("merges.txt", "byte-level"),
    ("vocab.json", "byte-level"),
  ]
  /// No text is so long: what the reference library writes where it knows no bound.
  private static let unbounded = 1 << 24

  /// Throws `FolderProblem`, `WordPieceError`, and what reading throws.
  init(_ files: FolderFiles, _ configuration: Configuration) throws {
    let json = try files.read("tokenizer.json")
    let lines = try files.read("vocab.txt")
    guard json != nil || lines != nil else {
      let other = Self.otherVocabularies.first { files.names.contains($0.file) }
      throw FolderProblem.refusedFile(
        file: other?.file ?? "vocab.txt",
        why: (other.map { "a \($0.kind) vocabulary; " } ?? "it is missing, and tokenizer.json too; ")
          + "only WordPiece vocabularies are read, from tokenizer.json or vocab.txt")
    }
    let settingsFile = try files.object(TokenizerSettings.file)
    let settings = try settingsFile.map { try TokenizerSettings($0) } ?? TokenizerSettings()
    let special = configuration.architecture.special
    if let json {
      let file = try TokenizerFile(json: json)
      let tokenizer = try WordPiece(file, settings, special: special)
      options = tokenizer.options
      try Self.checkSilence(file, settings, options)
      try TokenizerRest.check(file.root, cutsAtEnd: settingsFile?.says("truncation_side") == true)
      if let lines { try Self.check(lines, tokenizer) }
      try NamedTokens(special, file.added, file: "tokenizer.json").check(files, settingsFile)
    } else {
      options = settings.options
      let tokenizer = try WordPiece(
        tokenizerJSON: nil, vocabulary: lines, configuration: nil, special: special)
      let added = special.added.map { token in
        var token = token
        token.id = tokenizer.id(of: token.content).map(Int.init) ?? -1
        return token
      }
      try NamedTokens(special, added, file: "vocab.txt").check(files, settingsFile)
    }
    if let settingsFile {
      try TokenizerRest.check(settings: settingsFile, configuration)
      maxLength = try Self.maxLength(settingsFile)
    }
  }

  private static func maxLength(_ file: FileObject) throws(FolderProblem) -> Int? {
    let member = "model_max_length"
    guard let value = file[member] else { return nil }
    guard let number = value.double else { throw file.wrongKind(member, "a number") }
    guard number < Double(unbounded) else { return nil }
    guard let length = try file.whole(member), length >= 3 else {
      throw file.refused(member, "a whole number is needed, 3 at least: [CLS], a token, [SEP]")
    }
    return length
  }

  /// What tokenizer_config.json does not say, the reference library takes to be BERT's, whatever
  /// tokenizer.json says; other readers take tokenizer.json's. Where these differ nobody knows which
  /// was meant.
  private static func checkSilence(
    _ file: TokenizerFile, _ settings: TokenizerSettings, _ options: BasicNormalizer.Options
  ) throws(FolderProblem) {
    let theirs = settings.options
    guard !settings.yieldsToTokenizerFile, theirs != options else { return }
    let (member, ours, other) =
      theirs.lowercase != options.lowercase
      ? ("do_lower_case", options.lowercase, "lowercase")
      : theirs.spacesIdeographs != options.spacesIdeographs
        ? ("tokenize_chinese_chars", options.spacesIdeographs, "handle_chinese_chars")
        : ("strip_accents", options.stripAccents, "strip_accents")
    throw .refused(
      file: file.root.file, member: "normalizer.\(other)", value: "\(ours)",
      why: "but \(TokenizerSettings.file) is silent, which readers take differently; say \(member) "
        + "\(ours) or \(!ours) there, as the model was trained")
  }

  /// vocab.txt beside tokenizer.json must be the same vocabulary, as far as it goes.
  private static func check(_ lines: [UInt8], _ tokenizer: WordPiece) throws {
    let vocabulary = try Vocabulary(lines: lines)
    for id in 0..<vocabulary.count {
      let token = String(decoding: vocabulary.bytes(of: id), as: UTF8.self)
      let other = tokenizer.token(Int32(id))
      guard other?.utf8.elementsEqual(token.utf8) != true else { continue }
      throw FolderProblem.refused(
        file: "vocab.txt", member: "line \(id + 1)", value: JSONValue.shown(token),
        why: "tokenizer.json has \(other.map { JSONValue.shown($0) } ?? "no token") there; "
          + "remove the file that is wrong")
    }
  }
}
