/// The one way from inputs to tokens, for training, the command line and requests: reads no text further than
/// its vBERT takes, and no first text of neighbouring pairs twice. A value: a piece of the work goes on
/// with a copy.
package struct TextEncoder: Sendable {
  let tokenizer: WordPiece
  let maxLength: Int
  /// Too long sequences are cut, else they are errors.
  let cut: Bool
  /// Where they are cut.
  let side: TruncationSide
  /// Texts can do without; pairs and words cannot.
  let addsSpecialTokens: Bool
  /// Most words in one text.
  let mostWords: Int
  /// The first text of the last pair, which is often that of the next one.
  private var first: (text: String, reader: TokenReader, tail: WordPiece.Tail?)?

  /// Of one text, where nobody says another number.
  package static let mostWords = 1 << 14

  /// An error says how long a text is up to this many tokens.
  package static let countedTokens = 8192
  /// And reads so many bytes for it at most.
  private static let countedBytes = 1 << 18

  package init(
    _ tokenizer: WordPiece, maxLength: Int, cut: Bool, side: TruncationSide = .right,
    addsSpecialTokens: Bool = true, mostWords: Int = TextEncoder.mostWords
  ) {
    (self.tokenizer, self.maxLength, self.cut) = (tokenizer, maxLength, cut)
    (self.side, self.addsSpecialTokens) = (side, addsSpecialTokens)
    self.mostWords = mostWords
  }

  /// What does not fit is lost at the beginning.
  var cutsLeft: Bool { cut && side == .left }

  /// `check` is called now and then in what takes long; what it throws ends the reading. Throws
  /// `TextProblem`.
  package mutating func encode(
    _ input: TextInput, check: () throws -> Void = {}
  ) throws -> EncodedText {
    guard !input.isEmpty else { throw TextProblem.empty }
    switch input {
    case .text(let text):
      return EncodedText(encoding: try encode(text, check))
    case .pair(let text, let pair):
      return EncodedText(encoding: try encode(text, pair, check))
    case .words(let words): return try encode(words: words, check)
    case .running(let text):
      return cutsLeft
        ? try encode(endOf: text, check)
        : try encode(running: text, check)
    }
  }

  private func encode(_ text: String, _ check: () throws -> Void) throws -> Encoding {
    if cutsLeft {
      return try tokenizer.encodeTail(
        text, maxLength: maxLength, addSpecialTokens: addsSpecialTokens
      ) { try check() }
    }
    var reader = tokenizer.reader(text, keep: maxLength)
    let encoding = try tokenizer.encode(
      &reader, maxLength: maxLength, addSpecialTokens: addsSpecialTokens
    ) { try check() }
    if encoding.isTruncated, !cut {
      try count(&reader, check)
      let added = addsSpecialTokens ? tokenizer.special.count(isPair: false) : 0
      throw tooLong(reader.count + added, isExact: reader.isAtEnd)
    }
    return encoding
  }

  private mutating func encode(
    _ text: String, _ pair: String, _ check: () throws -> Void
  ) throws -> Encoding {
    var reader: TokenReader
    var tail: WordPiece.Tail?
    if let first, first.text == text {
      (reader, tail) = (first.reader, first.tail)
    } else {
      reader = tokenizer.reader(text, keep: maxLength)
    }
    first = nil
    var second = tokenizer.reader(pair, keep: maxLength)
    let encoding =
      cutsLeft
      ? try tokenizer.encodeTail(
        &reader, pair: &second, maxLength: maxLength, firstTail: &tail
      ) { try check() }
      : try tokenizer.encode(
        &reader, pair: &second, maxLength: maxLength, cut: cut
      ) { try check() }
    if encoding.isTruncated, !cut {
      try count(&reader, check)
      try count(&second, check)
      throw tooLong(
        reader.count + second.count + tokenizer.special.count(isPair: true),
        isExact: reader.isAtEnd && second.isAtEnd)
    }
    first = (text, reader, tail)
    return encoding
  }

  private func encode(words: [String], _ check: () throws -> Void) throws -> EncodedText {
    guard words.count <= mostWords else {
      throw TextProblem.tooManyWords(words.count, most: mostWords)
    }
    func encoding(_ maxLength: Int) throws -> Encoding {
      var rest = words.makeIterator()
      return try tokenizer.encode(maxLength: maxLength, check: { try check() }) {
        try check()
        return rest.next()
      }
    }
    let encoded =
      cutsLeft ? try encode(endOf: words, check) : try fit(encoding)
    var place: Int32 = 0
    let placed = words.map { word in
      let end = place + Int32(word.unicodeScalars.count)
      defer { place = end + 1 }
      return TextWord(text: word, span: TextSpan(start: place, end: end))
    }
    return EncodedText(encoding: encoded, words: placed)
  }

  private func encode(running text: String, _ check: () throws -> Void) throws
    -> EncodedText
  {
    var splitter = tokenizer.splitter(text)
    var words: [TextWord] = []
    func encoding(_ maxLength: Int) throws -> Encoding {
      splitter = tokenizer.splitter(text)
      words = []
      return try tokenizer.encode(maxLength: maxLength, check: { try check() }) {
        try check()
        guard let word = try splitter.next(check: { try check() }) else { return nil }
        guard words.count < mostWords else {
          throw TextProblem.tooManyWords(nil, most: mostWords)
        }
        words.append(word)
        return word.text
      }
    }
    let encoded = try fit(encoding)
    // Words that were cut off are listed too, as outside of everything, up to the bound.
    while encoded.isTruncated, words.count < mostWords,
      let word = try splitter.next(check: { try check() })
    { words.append(word) }
    return EncodedText(encoding: encoded, words: words)
  }

  private func fit(_ encoding: (Int) throws -> Encoding) throws -> Encoding {
    let encoded = try encoding(maxLength)
    if encoded.isTruncated, !cut {
      let counted = try encoding(max(maxLength + 1, Self.countedTokens))
      throw tooLong(counted.count, isExact: !counted.isTruncated)
    }
    return encoded
  }

  private func count(_ reader: inout TokenReader, _ check: () throws -> Void) throws {
    try reader.read(past: Self.countedTokens, bytes: Self.countedBytes) { try check() }
  }

  private func tooLong(_ tokens: Int, isExact: Bool) -> TextProblem {
    .tooLong(
      tokens: isExact ? tokens : min(tokens, max(maxLength, Self.countedTokens)),
      isExact: isExact, most: maxLength)
  }
}
