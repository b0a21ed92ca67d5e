extension WordPiece {
  /// A running text's words, with ideographs apart where this tokeniser sets them apart.
  package func splitter(_ text: String) -> WordSplitter {
    WordSplitter(text, splitsIdeographs: options.spacesIdeographs)
  }

  /// The same from the last to the first.
  package func lastWords(_ text: String, most: Int) -> LastWords {
    LastWords(text, most: most, splitsIdeographs: options.spacesIdeographs)
  }

  /// A reader of this text that keeps its first `keep` tokens.
  package func reader(_ text: String, keep: Int = .max) -> TokenReader {
    TokenReader(text, self, keep: keep)
  }

  /// Tokens of a text or a pair, between [CLS] and [SEP] if they are asked for.
  ///
  /// `maxLength` counts the added tokens too; a smaller one than these acts as their number. Too
  /// long input is cut at its end, the longer of a pair first. Linear in the length of the text, which
  /// is not read further than `maxLength` needs.
  package func encode(
    _ text: String, pair: String?, maxLength: Int?, addSpecialTokens: Bool
  ) -> Encoding {
    let room = room(maxLength, isPair: pair != nil, addSpecialTokens)
    var first = reader(text, keep: room)
    guard let pair else {
      return encode(&first, maxLength: maxLength, addSpecialTokens: addSpecialTokens) {}
    }
    var second = reader(pair, keep: room)
    return encode(
      &first, pair: &second, maxLength: maxLength, addSpecialTokens: addSpecialTokens
    ) {}
  }

  /// The same for one text that a reader has begun, which must keep as many tokens as can fit.
  package func encode<Failure: Error>(
    _ text: inout TokenReader, maxLength: Int?, addSpecialTokens: Bool = true,
    check: () throws(Failure) -> Void
  ) throws(Failure) -> Encoding {
    let room = room(maxLength, isPair: false, addSpecialTokens)
    try text.read(past: room, check: check)
    let kept = min(text.count, room)
    var encoding = Encoding()
    encoding.reserve(kept + 2)
    append(
      text.writer, count: kept, type: 0, opening: addSpecialTokens, closing: addSpecialTokens,
      to: &encoding)
    encoding.isTruncated = kept < text.count
    return encoding
  }

  /// The same for a pair. A reader may have been used for other pairs before: of one query and many
  /// texts, the query is read once. Where not all fits and `cut` is false, neither is read on, and the
  /// encoding is no more than truncated.
  package func encode<Failure: Error>(
    _ first: inout TokenReader, pair second: inout TokenReader, maxLength: Int?, cut: Bool = true,
    addSpecialTokens: Bool = true, check: () throws(Failure) -> Void
  ) throws(Failure) -> Encoding {
    let room = room(maxLength, isPair: true, addSpecialTokens)
    var encoding = Encoding()
    try first.read(past: room, check: check)
    try second.read(past: cut ? room : room - min(room, first.count), check: check)
    encoding.isTruncated = first.count > room || second.count > room - first.count
    if encoding.isTruncated, !cut { return encoding }
    if first.count > room, second.count > room, room % 2 == 1 {
      try race(&first, &second, check: check)
    }
    let kept = longestFirst(first.count, second.count, room: room)
    encoding.reserve(kept.first + kept.second + 3)
    append(
      first.writer, count: kept.first, type: 0, opening: addSpecialTokens,
      closing: addSpecialTokens, to: &encoding)
    let type: Int32 = special.numbersSegments ? 1 : 0
    if addSpecialTokens {
      for _ in 1..<special.pairSeparators { encoding.append(added: separator, type: type) }
    }
    append(
      second.writer, count: kept.second, type: type, opening: false, closing: addSpecialTokens,
      to: &encoding)
    return encoding
  }

  /// Reads both in turns until one ends and the other is known to be longer or not: of an odd room the
  /// longer one keeps one token more.
  func race<Failure: Error>(
    _ first: inout TokenReader, _ second: inout TokenReader, check: () throws(Failure) -> Void
  ) throws(Failure) {
    let lap = 4096
    while !first.isAtEnd, !second.isAtEnd {
      if first.count <= second.count {
        try first.read(past: first.count + lap, check: check)
      } else {
        try second.read(past: second.count + lap, check: check)
      }
    }
    if first.isAtEnd {
      try second.read(past: first.count, check: check)
    } else {
      try first.read(past: second.count, check: check)
    }
  }

  /// Tokens of words that are given apart (tagging): each word is normalised and split on its own,
  /// `spans` lie in the word, `words` says which word. A word can have no token at all.
  package func encode(words: [String], maxLength: Int?) -> Encoding {
    var iterator = words.makeIterator()
    return encode(maxLength: maxLength, check: {}, nextWord: { iterator.next() })
  }

  /// The same with words that are asked for one after the other, until no more fits; they can come
  /// from a text that is split meanwhile.
  package func encode<Failure: Error>(
    maxLength: Int?, check: () throws(Failure) -> Void,
    nextWord: () throws(Failure) -> String?
  ) throws(Failure) -> Encoding {
    let room = room(maxLength, isPair: false, true)
    var writer = PieceWriter(trie: trie, unknown: unknown, limit: room)
    var owners: [Int32] = []
    var index: Int32 = 0
    while !writer.isFull, let word = try nextWord() {
      var scan = Scan(options)
      let size = word.utf8.count
      while scan.place < size, !writer.isFull {
        self.scan(
          word.utf8.span, &scan, to: min(size, scan.place + TokenReader.stride), into: &writer)
        if size > TokenReader.stride { try check() }
      }
      end(&scan, &writer)
      while owners.count < writer.ids.count { owners.append(index) }
      index += 1
    }
    let kept = min(writer.ids.count, room)
    var encoding = Encoding()
    append(writer, count: kept, type: 0, opening: true, closing: true, to: &encoding)
    encoding.words = [-1] + owners.prefix(kept) + [-1]
    encoding.isTruncated = kept < writer.ids.count
    return encoding
  }

  /// For the texts' own tokens, beside those that are added.
  func room(_ maxLength: Int?, isPair: Bool, _ addsSpecialTokens: Bool) -> Int {
    let added = addsSpecialTokens ? special.count(isPair: isPair) : 0
    return maxLength.map { max(added, $0) - added } ?? .max
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
  mutating func reserve(_ count: Int) {
    ids.reserveCapacity(count)
    typeIDs.reserveCapacity(count)
    spans.reserveCapacity(count)
  }

  mutating func append(added token: Int32, type: Int32) {
    ids.append(token)
    typeIDs.append(type)
    spans.append(.none)
  }
}
