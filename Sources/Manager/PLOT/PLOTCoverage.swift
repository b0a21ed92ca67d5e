internal import Files
package import Model

/// How much of a text a table knows.
package struct PLOTCoverage: Sendable {
  package var lines = 0
  /// `computed` counts the tokens of which the table has not even the unigram.
  package var tokens = PLOTStatistics()

  /// Looks up every token of the files (plain or gzip, one text a line, cut to `maxLength` tokens as
  /// requests are). Throws what reading throws.
  package init(
    of corpus: [String], in domain: PLOTDomain, tokenizer: any Tokenizer, maxLength: Int?
  ) throws {
    for path in corpus {
      let reader = try LineReader(path: path)
      while let line = try reader.next() {
        let text = String(decoding: line.bytes, as: UTF8.self)
        let ids = tokenizer.encode(text, maxLength: maxLength).ids
        guard ids.count > 2 else { continue }
        lines += 1
        tokens += PLOTStatistics(of: NGram.list(of: ids).lazy.map(domain.level))
      }
    }
  }
}

extension PLOTDomain {
  /// The first of tri-gram, bi-gram and unigram that a file has; `computed` when none is there.
  func level(of gram: NGram) -> PLOTLevel {
    if !gram.hasCentre || isStored(gram) { return .trigram }
    if gram.right != NGram.none, isStored(gram.bigram) { return .bigram }
    return isStored(gram.unigram) ? .unigram : .computed
  }

  private func isStored(_ gram: NGram) -> Bool {
    let hash = gram.plotHash
    return files.contains { $0.find(gram, hash: hash) != nil }
  }
}
