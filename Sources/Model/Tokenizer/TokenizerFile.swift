/// tokenizer.json, as far as it says how text becomes ids. What it says beyond that is not used:
/// padding, truncation (but see `FolderTokens`), and how ids become text.
struct TokenizerFile {
  let root: FileObject
  let added: [AddedToken]
  private let model: FileObject

  /// Throws `WordPieceError.unreadable` where it is not JSON, or not of this form.
  init(json: [UInt8]) throws(WordPieceError) {
    do throws(FolderProblem) {
      root = try FileObject("tokenizer.json", json)
      guard let model = try root.object("model") else {
        throw .unreadable(file: root.file, what: "\"model\" is missing")
      }
      self.model = model
      added = try Self.added(root)
    } catch { throw .unreadable("\(error)") }
  }

  private static func added(_ root: FileObject) throws(FolderProblem) -> [AddedToken] {
    var tokens: [AddedToken] = []
    for token in try root.objects("added_tokens") ?? [] {
      guard let id = try token.whole("id"), id >= 0 else {
        throw token.wrongKind("id", "a whole number, 0 or more")
      }
      guard let content = try token.text("content") else {
        throw token.wrongKind("content", "text")
      }
      tokens.append(
        AddedToken(
          id: id, content: content, isSingleWord: try token.flag("single_word") ?? false,
          takesSpaceBefore: try token.flag("lstrip") ?? false,
          takesSpaceBehind: try token.flag("rstrip") ?? false,
          isNormalized: try token.flag("normalized") ?? false))
    }
    return tokens
  }

  /// The tokens under model.vocab, in the order of the file, with their ids. Throws
  /// `WordPieceError.unreadable`.
  func vocabulary() throws(WordPieceError) -> [(token: String, id: Int)] {
    var tokens: [(token: String, id: Int)] = []
    do throws(FolderProblem) {
      guard let vocabulary = try model.object("vocab") else {
        throw model.wrongKind("vocab", "an object")
      }
      for member in vocabulary.members {
        guard let id = member.value.number.flatMap({ Int($0) }), id >= 0 else {
          throw vocabulary.wrongKind(member.name, "a whole number, 0 or more")
        }
        tokens.append((member.name, id))
      }
    } catch { throw .unreadable("\(error)") }
    return tokens
  }

  /// The normaliser's settings; throws `unsupported` where the file is not a tokeniser like BERT's.
  func options() throws(WordPieceError) -> BasicNormalizer.Options {
    do throws(FolderProblem) {
      let normalizer = try part("normalizer", "BertNormalizer", inside: "normalizers")
      if try normalizer.flag("clean_text") == false {
        throw normalizer.refused("clean_text", "control characters are always taken out here")
      }
      _ = try part("pre_tokenizer", "BertPreTokenizer", inside: "pretokenizers")
      try require(model.text("type"), "WordPiece", model, "type")
      try require(model.text("continuing_subword_prefix"), "##", model, "continuing_subword_prefix")
      try require(
        model.whole("max_input_chars_per_word"), PieceWriter.maxCharacters, model,
        "max_input_chars_per_word")
      let lowercase = try normalizer.flag("lowercase") ?? true
      return BasicNormalizer.Options(
        lowercase: lowercase, stripAccents: try normalizer.flag("strip_accents") ?? lowercase,
        spacesIdeographs: try normalizer.flag("handle_chinese_chars") ?? true)
    } catch { throw WordPieceError(error) }
  }

  /// Whether the normaliser says by itself what becomes of accents, rather than as `lowercase` does.
  func saysAccents() -> Bool {
    (try? part("normalizer", "BertNormalizer", inside: "normalizers").flag("strip_accents")) != nil
  }

  /// Throws `unsupported` unless texts are framed by `special`, under the ids that `id` gives.
  func checkFraming(
    _ special: SpecialTokens, id: @escaping (String) -> Int32?
  ) throws(WordPieceError) {
    do throws(FolderProblem) {
      try require(model.text("unk_token"), special.unknown, model, "unk_token")
      try TokenizerFraming(special, id: id).check(root)
    } catch { throw WordPieceError(error) }
  }

  /// One step of the tokeniser, also where it is the only one of a sequence.
  private func part(
    _ name: String, _ kind: String, inside list: String
  ) throws(FolderProblem) -> FileObject {
    guard let part = try root.object(name) else {
      throw root.refused(name, "it must be \(kind)")
    }
    let wanted = try Self.only(part, list) { (part) throws(FolderProblem) in
      try part.text("type") == kind
    }
    if let wanted { return wanted }
    throw .refused(
      file: root.file, member: name, value: Self.kinds(part, list),
      why: "it must be \(kind) alone")
  }

  /// `part`, or what a sequence of one holds, if it is wanted.
  static func only(
    _ part: FileObject, _ list: String, _ isWanted: (FileObject) throws(FolderProblem) -> Bool
  ) throws(FolderProblem) -> FileObject? {
    if try isWanted(part) { return part }
    guard try part.text("type") == "Sequence", let parts = try part.objects(list), parts.count == 1
    else { return nil }
    return try only(parts[0], list, isWanted)
  }

  /// "NFC", or "Sequence of NFC, BertNormalizer".
  static func kinds(_ part: FileObject, _ list: String) -> String {
    let kind = (try? part.text("type")) ?? "of no type"
    guard kind == "Sequence", let parts = try? part.objects(list) else { return kind.clipped }
    return
      "Sequence of \(parts.prefix(8).map { (try? $0.text("type")) ?? "?" }.joined(separator: ", "))"
      .clipped
  }

  private func require<Value: Equatable>(
    _ value: Value?, _ expected: Value, _ object: FileObject, _ member: String
  ) throws(FolderProblem) {
    guard let value, value != expected else { return }
    throw object.refused(member, "only \(expected) is done here")
  }
}

extension WordPieceError {
  /// What tokenizer.json says, and is not done here, is unsupported; the rest cannot be read.
  init(_ problem: FolderProblem) {
    switch problem {
    case .refused, .refusedFile: self = .unsupported("\(problem)")
    case .unreadable, .wrongKind: self = .unreadable("\(problem)")
    }
  }
}
