extension Vocabulary {
  /// The tokens under model.vocab of tokenizer.json, and those added to them, by their ids.
  init(
    tokenizerJSON json: [UInt8], added: [TokenizerFile.AddedToken]
  ) throws(WordPieceError) {
    var byID: [Int: [UInt8]] = [:]
    var scanner = JSONScanner(json)
    do {
      try scanner.enter("model")
      try scanner.enter("vocab")
      try scanner.expect("{")
      var isLast = scanner.take("}")
      while !isLast {
        let token = try scanner.string()
        try scanner.expect(":")
        let id = try scanner.unsigned()
        guard byID.updateValue(Array(token.utf8), forKey: id) == nil else {
          throw scanner.failure("two tokens have the id \(id)")
        }
        isLast = try !scanner.another(before: "}")
      }
    } catch {
      throw .unreadable("tokenizer.json: \(error)")
    }
    for token in added {
      let text = Array(token.content.utf8)
      guard byID[token.id] == nil || byID[token.id] == text else {
        throw .unsupported("the added token \"\(token.content)\" has the id of another token")
      }
      byID[token.id] = text
    }
    self.init()
    for id in 0..<byID.count {
      guard let text = byID[id] else { throw .gap(id: id) }
      try append(text)
    }
  }
}

extension JSONScanner {
  /// Moves to the value of `key` in the object that comes next; what lies before it is skipped,
  /// what lies behind it is not looked at.
  fileprivate mutating func enter(_ key: String) throws(SafetensorsProblem) {
    try expect("{")
    var isLast = take("}")
    while !isLast {
      let name = try string()
      try expect(":")
      if name.utf8.elementsEqual(key.utf8) { return }
      try skipValue()
      isLast = try !another(before: "}")
    }
    throw failure("expected \"\(key)\"")
  }

  /// Passes over one value of a document that is known to be JSON, so that brackets match.
  private mutating func skipValue() throws(SafetensorsProblem) {
    var depth = 0
    while let next = peek() {
      switch next {
      case UInt8(ascii: "\""): _ = try string()
      case UInt8(ascii: ","), UInt8(ascii: "}"), UInt8(ascii: "]"):
        if depth == 0 { return }
        if next != UInt8(ascii: ",") { depth -= 1 }
        _ = take(Unicode.Scalar(next))
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        _ = take(Unicode.Scalar(next))
      default: _ = take(Unicode.Scalar(next))
      }
    }
  }
}
