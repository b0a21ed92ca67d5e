/// Words that lose their beginning where they do not fit.
extension TextEncoder {
  func encode(endOf words: [String], _ check: () throws -> Void) throws -> Encoding {
    var rest = words[...]
    var encoding = try tokenizer.encodeTail(maxLength: maxLength, check: { try check() }) {
      try check()
      return rest.popLast()
    }
    encoding.numberWords(of: words.count)
    return encoding
  }

  /// The text is read from its end. Words that were cut off are listed too, as outside of everything, the
  /// last ones up to the bound.
  func encode(
    endOf text: String, _ check: () throws -> Void
  ) throws -> EncodedText {
    var reader = tokenizer.lastWords(text, most: mostWords)
    // From the last to the first, counted from the end of the text.
    var words: [TextWord] = []
    var encoding = try tokenizer.encodeTail(maxLength: maxLength, check: { try check() }) {
      try check()
      guard let word = try reader.previous(check: { try check() }) else { return nil }
      guard words.count < mostWords else {
        throw TextProblem.tooManyWords(nil, most: mostWords)
      }
      words.append(word)
      return word.text
    }
    while encoding.isTruncated, words.count < mostWords,
      let word = try reader.previous(check: { try check() })
    { words.append(word) }
    encoding.numberWords(of: words.count)
    let (bytes, behind) = reader.place
    let points = bytes == 0 ? 0 : codePoints(text.utf8.span, before: bytes)
    return EncodedText(
      encoding: encoding, words: words.reversed().map { $0.moved(by: points + behind) },
      begin: (bytes, Int(points)))
  }
}

extension Encoding {
  /// From numbers that count from the last word to those that count from the first.
  fileprivate mutating func numberWords(of count: Int) {
    for place in words.indices where words[place] >= 0 {
      words[place] = Int32(count - 1) - words[place]
    }
  }
}
