/// What tokenizer.json's post_processor must say: the special tokens around a text and a pair, their
/// segments, and their ids, which it has beside the vocabulary's.
struct TokenizerFraming {
  private let special: SpecialTokens
  private let id: (String) -> Int32?

  init(_ special: SpecialTokens, id: @escaping (String) -> Int32?) {
    (self.special, self.id) = (special, id)
  }

  func check(_ root: FileObject) throws(FolderProblem) {
    // RoBERTa's closes the first text of a pair twice.
    let fixed = special.pairSeparators == 2 ? "RobertaProcessing" : "BertProcessing"
    guard let whole = try root.object("post_processor") else {
      throw root.refused("post_processor", "it must be \(fixed) or TemplateProcessing")
    }
    let part = try TokenizerFile.only(whole, "processors") { (part) throws(FolderProblem) in
      [fixed, "TemplateProcessing"].contains(try part.text("type"))
    }
    guard let part else {
      throw .refused(
        file: root.file, member: "post_processor", value: TokenizerFile.kinds(whole, "processors"),
        why: "it must be \(fixed) or TemplateProcessing alone")
    }
    if try part.text("type") == fixed { return try checkFixed(part) }
    try checkTemplates(part)
  }

  private func checkFixed(_ part: FileObject) throws(FolderProblem) {
    for (member, token) in [("cls", special.classification), ("sep", special.separator)] {
      guard let pair = try part.list(member), pair.count == 2, let found = pair[0].text,
        let number = pair[1].whole
      else { throw part.wrongKind(member, "a token and its id") }
      guard found == token else { throw part.refused(member, "this family has \(token) there") }
      try check(number, token, part, member)
    }
  }

  private func check(
    _ number: Int, _ token: String, _ part: FileObject, _ member: String
  ) throws(FolderProblem) {
    // A vocabulary without it is told elsewhere.
    guard let known = id(token), known != number else { return }
    throw part.refused(member, "the vocabulary has \(token) as \(known)")
  }

  private func checkTemplates(_ part: FileObject) throws(FolderProblem) {
    let (open, close) = (special.classification, special.separator)
    let single = "[\(open):0, A:0, \(close):0]"
    guard try template(part, "single") == single else { throw try other(part, "single", single) }
    let more = String(repeating: "\(close):0, ", count: special.pairSeparators - 1)
    func pair(_ segment: Int) -> String {
      "[\(open):0, A:0, \(close):0, \(more)B:\(segment), \(close):\(segment)]"
    }
    let found = try template(part, "pair")
    // Without segments it says nothing how they are numbered.
    if found != pair(1), special.numbersSegments || found != pair(0) {
      throw try other(part, "pair", pair(1))
    }
    guard let tokens = try part.object("special_tokens") else { return }
    for token in [open, close] {
      guard let entry = try tokens.object(token) else {
        throw tokens.refused(token, "its templates need that token")
      }
      guard let ids = try entry.list("ids"), ids.count == 1, let number = ids[0].whole else {
        throw entry.refused("ids", "one id was expected")
      }
      try check(number, token, entry, "ids")
    }
  }

  private func other(
    _ part: FileObject, _ member: String, _ expected: String
  ) throws(FolderProblem) -> FolderProblem {
    .refused(
      file: part.file, member: "post_processor.\(member)",
      value: try template(part, member).clipped, why: "this family has \(expected)")
  }

  /// "[[CLS]:0, A:0, [SEP]:0]"
  private func template(_ part: FileObject, _ member: String) throws(FolderProblem) -> String {
    guard let pieces = try part.objects(member) else { return "missing" }
    var texts: [String] = []
    for piece in pieces {
      let added = try piece.object("SpecialToken")
      let reference = if let added { added } else { try piece.object("Sequence") }
      let name = try reference?.text("id") ?? "?"
      texts.append("\(name):\(try reference?.whole("type_id") ?? -1)")
    }
    return "[\(texts.joined(separator: ", "))]"
  }
}
