package import Model

/// Chosen n-grams as text: one a line, its three tokens with spaces between, most frequent first;
/// [PAD] where there is no token. So a table can be built again without the corpus.
package enum NGramList {
  /// Reads a list, plain or gzip. Throws `PLOTError.list` with the line, and what reading throws.
  package static func read(_ path: String, tokenizer: WordPiece) throws -> [NGram] {
    let reader = try LineReader(path: path, limit: 1 << 16)
    var grams: [NGram] = []
    var seen: Set<NGram> = []
    while let line = try reader.next() {
      let tokens = String(decoding: line.bytes, as: UTF8.self).split(separator: " ")
      let ids = tokens.compactMap { tokenizer.id(of: String($0)) }
      guard tokens.count == 3, ids.count == 3, ids[1] != 0 else {
        throw PLOTError.list(path: path, line: line.number)
      }
      let gram = NGram(ids[0], ids[1], ids[2])
      // A repeated line is no second row.
      if seen.insert(gram).inserted { grams.append(gram) }
    }
    return grams
  }

  /// Writes a list, whole or not at all, without n-grams that could not be read again (a vocabulary
  /// may have a token twice, or with a space). Throws what the disk says.
  package static func write(_ grams: [NGram], to path: String, tokenizer: WordPiece) throws {
    var file = try AtomicFile(replacing: path)
    for gram in grams {
      let ids = [gram.left, gram.centre, gram.right]
      let tokens = ids.compactMap { id in
        tokenizer.token(id).flatMap { token in
          tokenizer.id(of: token) == id && !token.isEmpty && !token.contains(" ") ? token : nil
        }
      }
      guard tokens.count == 3 else { continue }
      try file.append("\(tokens.joined(separator: " "))\n".utf8)
    }
    try file.commit()
  }
}
