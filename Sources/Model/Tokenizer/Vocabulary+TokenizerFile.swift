extension Vocabulary {
  /// The tokens under model.vocab of tokenizer.json, and those added to them, by their ids.
  init(_ file: TokenizerFile) throws(WordPieceError) {
    var byID: [Int: String] = [:]
    for (token, id) in try file.vocabulary() {
      guard byID.updateValue(token, forKey: id) == nil else {
        throw .unreadable("\(file.root.file): model.vocab: two tokens have the id \(id)")
      }
    }
    let pieces = Set(byID.keys)
    let names = Set(byID.values.map { Array($0.utf8) })
    for token in file.added {
      let known = byID[token.id].map { Array($0.utf8) }
      let content = Array(token.content.utf8)
      guard known.map({ $0 == content }) ?? !names.contains(content) else {
        throw .unsupported(
          "\(file.root.file): the added token \"\(token.content.clipped)\" has the id of another token"
        )
      }
      byID[token.id] = token.content
    }
    self.init()
    for id in 0..<byID.count {
      guard let text = byID[id] else { throw .gap(id: id) }
      if pieces.contains(id) { try append(text.utf8) } else { try append(apart: text.utf8) }
    }
  }
}
