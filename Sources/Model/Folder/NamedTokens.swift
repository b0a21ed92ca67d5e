/// The tokens that tokenizer_config.json, special_tokens_map.json and added_tokens.json name: each must
/// be one that is found in texts anyway, under the same id.
struct NamedTokens {
  private let special: SpecialTokens
  private let known: [AddedToken]
  /// Where the known ones are from.
  private let file: String

  init(_ special: SpecialTokens, _ known: [AddedToken], file: String) {
    (self.special, self.known, self.file) = (special, known, file)
  }

  /// Throws `FolderProblem`, and what reading throws.
  func check(_ files: FolderFiles, _ settings: FileObject?) throws {
    if let settings {
      try check(settings)
      if let decoder = try settings.object("added_tokens_decoder") {
        for member in decoder.members {
          guard let token = try decoder.object(member.name), let id = Int(member.name) else {
            throw decoder.wrongKind(member.name, "a token under its id")
          }
          try check(token, id: id)
        }
      }
    }
    if let map = try files.object("special_tokens_map.json") { try check(map) }
    if let added = try files.object("added_tokens.json") {
      for member in added.members {
        guard let id = try added.whole(member.name) else {
          throw added.wrongKind(member.name, "the token's id")
        }
        try check(member.name, id: id, in: added, member.name)
      }
    }
  }

  /// The members that special_tokens_map.json and tokenizer_config.json share.
  private func check(_ object: FileObject) throws(FolderProblem) {
    for (member, token) in [
      ("cls_token", special.classification), ("sep_token", special.separator),
      ("unk_token", special.unknown), ("pad_token", special.padding), ("mask_token", special.mask),
    ] {
      guard let found = try content(object, member) else { continue }
      guard found.utf8.elementsEqual(token.utf8) else {
        throw object.refused(member, "this family's is \(token)")
      }
    }
    for member in ["bos_token", "eos_token"] {
      guard let found = try content(object, member) else { continue }
      try check(found, id: nil, in: object, member)
    }
    for member in ["additional_special_tokens", "extra_special_tokens"] {
      if let named = object[member]?.members {
        for token in named { try check(token.value, in: object, member) }
      } else {
        for value in try object.list(member) ?? [] { try check(value, in: object, member) }
      }
    }
  }

  private func check(
    _ value: JSONValue, in object: FileObject, _ member: String
  ) throws(FolderProblem) {
    guard let content = Self.content(value) else { throw object.wrongKind(member, "tokens") }
    try check(content, id: nil, in: object, member)
  }

  /// A token is a text, or an object with `content`.
  private static func content(_ value: JSONValue) -> String? {
    value.text ?? value["content"]?.text
  }

  private func content(
    _ object: FileObject, _ member: String
  ) throws(FolderProblem) -> String? {
    guard let value = object[member] else { return nil }
    guard let content = Self.content(value) else { throw object.wrongKind(member, "a token") }
    if value["single_word"]?.flag == true,
      known.first(where: { $0.content == content })?.isSingleWord != true
    {
      throw object.refused(member, "it has single_word true, which \(file) does not say")
    }
    return content
  }

  /// An entry of added_tokens_decoder.
  private func check(_ token: FileObject, id: Int) throws(FolderProblem) {
    guard let content = try token.text("content") else { throw token.wrongKind("content", "text") }
    try check(content, id: id, in: token, "content")
    guard let found = known.first(where: { $0.content.utf8.elementsEqual(content.utf8) }) else {
      return
    }
    for (member, value) in [
      ("single_word", found.isSingleWord), ("normalized", found.isNormalized),
    ] where try token.flag(member) ?? value != value {
      throw token.refused(member, "\(file) says \(value) of \(JSONValue.shown(content))")
    }
  }

  private func check(
    _ content: String, id: Int?, in object: FileObject, _ member: String
  ) throws(FolderProblem) {
    let shown = JSONValue.shown(content)
    guard let found = known.first(where: { $0.content.utf8.elementsEqual(content.utf8) }) else {
      throw object.refused(
        member,
        "\(shown) would be found in texts as one token, which \(file) does not say; save the tokeniser "
          + "anew in Python: AutoTokenizer.from_pretrained(DIR).save_pretrained(DIR)")
    }
    if let id, found.id != id {
      throw object.refused(member, "\(file) has \(shown) as \(found.id), not \(id)")
    }
  }
}
