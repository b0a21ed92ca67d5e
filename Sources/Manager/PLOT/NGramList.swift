internal import Files
package import Model

/// Chosen n-grams as text: one a line, its three tokens with spaces between, most frequent first;
/// `-` where there is no token. The token `-` itself, and one that begins with `\\`, has a `\\` before
/// it. So a table can be built again without the corpus.
package enum NGramList {
  private static let none: String = "-"
  private static let escape: String = "\\"

  /// Reads a list, plain or gzip. Throws `PLOTError.list` with the line, `PLOTError.oldList` where
  /// padding stands for none, and what reading throws.
  package static func read(_ path: String, tokenizer: any Tokenizer) throws -> [NGram] {
    let reader = try LineReader(path: path, limit: 1 << 16)
    let padding = tokenizer.special.padding
    var grams: [NGram] = []
    var seen: Set<NGram> = []
    while let line = try reader.next() {
      let words = String(decoding: line.bytes, as: UTF8.self).split(separator: " ").map(String.init)
      guard !words.contains(padding) else {
        throw PLOTError.oldList(path: path, line: line.number, padding: padding)
      }
      let ids = words.compactMap { id(of: $0, tokenizer) }
      guard words.count == 3, ids.count == 3, ids[1] != NGram.none else {
        throw PLOTError.list(path: path, line: line.number)
      }
      let gram = NGram(ids[0], ids[1], ids[2])
      // A repeated line is no second row.
      if seen.insert(gram).inserted { grams.append(gram) }
    }
    return grams
  }

  private static func id(of word: String, _ tokenizer: any Tokenizer) -> Int32? {
    if word == none { return NGram.none }
    return tokenizer.id(of: word.hasPrefix(escape) ? String(word.dropFirst()) : word)
  }

  /// Writes a list, whole or not at all, without n-grams that could not be read again (a vocabulary
  /// may have a token twice, or with a space; padding is no part of a text). Throws what the disk says.
  package static func write(_ grams: [NGram], to path: String, tokenizer: any Tokenizer) throws {
    var file = try AtomicFile(replacing: path, isShared: true)
    for gram in grams {
      let words = [gram.left, gram.centre, gram.right].compactMap { word(for: $0, tokenizer) }
      guard words.count == 3 else { continue }
      try file.append("\(words.joined(separator: " "))\n".utf8)
    }
    try file.commit()
  }

  private static func word(for id: Int32, _ tokenizer: any Tokenizer) -> String? {
    if id == NGram.none { return none }
    guard let token = tokenizer.token(id), tokenizer.id(of: token) == id, !token.isEmpty,
      !token.contains(" "), token != tokenizer.special.padding
    else { return nil }
    return token == none || token.hasPrefix(escape) ? escape + token : token
  }
}
