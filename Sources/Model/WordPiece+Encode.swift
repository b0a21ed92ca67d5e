extension WordPiece {
  /// Linear in the length of the text; a single text is not read further than `maxLength` needs.
  package func encode(
    _ text: String, pair: String?, maxLength: Int?, addSpecialTokens: Bool
  ) -> Encoding {
    let added = pair == nil ? 2 : 2 + special.pairSeparators
    let room = room(maxLength, added: addSpecialTokens ? added : 0)
    var first = PieceWriter(trie: trie, unknown: unknown, limit: pair == nil ? room : .max)
    scan(text, into: &first)
    var encoding = Encoding()
    encoding.reserve(first.ids.count + 2)
    guard let pair else {
      let kept = min(first.ids.count, room)
      append(
        first, count: kept, type: 0, opening: addSpecialTokens, closing: addSpecialTokens,
        to: &encoding)
      encoding.isTruncated = kept < first.ids.count
      return encoding
    }
    // Which of a pair is longer decides who is cut, so both are read to the end.
    var second = PieceWriter(trie: trie, unknown: unknown, limit: .max)
    scan(pair, into: &second)
    let kept = longestFirst(first.ids.count, second.ids.count, room: room)
    append(
      first, count: kept.first, type: 0, opening: addSpecialTokens, closing: addSpecialTokens,
      to: &encoding)
    let type: Int32 = special.numbersSegments ? 1 : 0
    if addSpecialTokens {
      for _ in 1..<special.pairSeparators { encoding.append(added: separator, type: type) }
    }
    append(
      second, count: kept.second, type: type, opening: false, closing: addSpecialTokens,
      to: &encoding)
    encoding.isTruncated = kept.first < first.ids.count || kept.second < second.ids.count
    return encoding
  }

  package func encode(words: [String], maxLength: Int?) -> Encoding {
    let room = room(maxLength, added: 2)
    var writer = PieceWriter(trie: trie, unknown: unknown, limit: room)
    var owners: [Int32] = []
    for (index, word) in words.enumerated() where !writer.isFull {
      scan(word, into: &writer)
      while owners.count < writer.ids.count { owners.append(Int32(truncatingIfNeeded: index)) }
    }
    let kept = min(writer.ids.count, room)
    var encoding = Encoding()
    append(writer, count: kept, type: 0, opening: true, closing: true, to: &encoding)
    encoding.words = [-1] + owners.prefix(kept) + [-1]
    encoding.isTruncated = kept < writer.ids.count
    return encoding
  }

  private func room(_ maxLength: Int?, added: Int) -> Int {
    maxLength.map { max(0, $0 - added) } ?? .max
  }

  private func scan(_ text: String, into writer: inout PieceWriter) {
    writer.reserve(min(text.utf8.count / 4 + 2, 4096))
    scan(text.utf8.span, into: &writer)
  }

  private func append(
    _ writer: PieceWriter, count: Int, type: Int32, opening: Bool, closing: Bool,
    to encoding: inout Encoding
  ) {
    if opening { encoding.append(added: classification, type: type) }
    encoding.ids.append(contentsOf: writer.ids[..<count])
    encoding.spans.append(contentsOf: writer.spans[..<count])
    encoding.typeIDs.append(contentsOf: repeatElement(type, count: count))
    if closing { encoding.append(added: separator, type: type) }
  }
}

extension Encoding {
  fileprivate mutating func reserve(_ count: Int) {
    ids.reserveCapacity(count)
    typeIDs.reserveCapacity(count)
    spans.reserveCapacity(count)
  }

  fileprivate mutating func append(added token: Int32, type: Int32) {
    ids.append(token)
    typeIDs.append(type)
    spans.append(.none)
  }
}
