/// Sequences that lose their beginning where they are too long: truncation from the left.
extension WordPiece {
  /// Tokens of a text, the last ones where there are too many. Bounded as `tail` is.
  package func encodeTail<Failure: Error>(
    _ text: String, maxLength: Int, addSpecialTokens: Bool = true,
    check: () throws(Failure) -> Void
  ) throws(Failure) -> Encoding {
    let tail = try tail(
      text, most: room(maxLength, isPair: false, addSpecialTokens), check: check)
    var encoding = Encoding()
    encoding.reserve(tail.ids.count + 2)
    if addSpecialTokens { encoding.append(added: classification, type: 0) }
    encoding.append(tail, last: tail.ids.count, type: 0)
    if addSpecialTokens { encoding.append(added: separator, type: 0) }
    encoding.isTruncated = tail.isCut
    return encoding
  }

  /// The same for a pair: each keeps as many tokens as when it is cut at its end, and these are its last.
  /// The readers say how many there are. `firstTail` is kept for other pairs of the same first text and
  /// `maxLength`.
  package func encodeTail<Failure: Error>(
    _ first: inout TokenReader, pair second: inout TokenReader, maxLength: Int,
    firstTail: inout Tail?, check: () throws(Failure) -> Void
  ) throws(Failure) -> Encoding {
    let room = room(maxLength, isPair: true, true)
    try first.read(past: room, check: check)
    try second.read(past: room, check: check)
    guard first.count > room || second.count > room - first.count else {
      return try encode(&first, pair: &second, maxLength: maxLength, check: check)
    }
    if first.count > room, second.count > room, room % 2 == 1 {
      try race(&first, &second, check: check)
    }
    let kept = longestFirst(first.count, second.count, room: room)
    let begin: Tail
    if let firstTail {
      begin = firstTail
    } else {
      begin = try tail(first.text, most: room, check: check)
      firstTail = begin
    }
    let end = try tail(second.text, most: kept.second, check: check)
    let type: Int32 = special.numbersSegments ? 1 : 0
    var encoding = Encoding()
    encoding.reserve(maxLength)
    encoding.append(added: classification, type: 0)
    encoding.append(begin, last: kept.first, type: 0)
    encoding.append(added: separator, type: 0)
    for _ in 1..<special.pairSeparators { encoding.append(added: separator, type: type) }
    encoding.append(end, last: kept.second, type: type)
    encoding.append(added: separator, type: type)
    encoding.isTruncated = true
    return encoding
  }

  /// The same for words that are asked for from the last to the first, until no more fits. In the
  /// encoding's `words` the last one is number 0, the one before it 1.
  package func encodeTail<Failure: Error>(
    maxLength: Int, check: () throws(Failure) -> Void,
    previousWord: () throws(Failure) -> String?
  ) throws(Failure) -> Encoding {
    let room = room(maxLength, isPair: false, true)
    var words: [Tail] = []
    var count = 0
    var isCut = false
    var encoding = Encoding()
    while !isCut, let word = try previousWord() {
      let tail = try tail(word, most: room - count, check: check)
      words.append(tail)
      count += tail.ids.count
      isCut = tail.isCut
      encoding.beginsInsideWord = tail.isCut && !tail.ids.isEmpty
    }
    encoding.append(added: classification, type: 0)
    encoding.words = [-1]
    for (number, tail) in words.enumerated().reversed() {
      encoding.append(tail, last: tail.ids.count, type: 0)
      encoding.words += repeatElement(Int32(number), count: tail.ids.count)
    }
    encoding.append(added: separator, type: 0)
    encoding.words.append(-1)
    encoding.isTruncated = isCut
    return encoding
  }
}

extension Encoding {
  fileprivate mutating func append(_ tail: WordPiece.Tail, last count: Int, type: Int32) {
    ids += tail.ids.suffix(count)
    spans += tail.spans.suffix(count)
    typeIDs += repeatElement(type, count: min(count, tail.ids.count))
  }
}
