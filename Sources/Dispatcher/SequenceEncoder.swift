internal import Model
internal import Scheduler

/// One sequence as a client gives it.
enum SequenceInput: Sendable {
  case text(String)
  case pair(String, String)
  case words([String])
  /// A text whose words are wanted: split no further than they fit.
  case running(String)

  var isPair: Bool {
    if case .pair = self { true } else { false }
  }

  var isEmpty: Bool {
    switch self {
    case .text(let text), .running(let text): text.isEmpty
    case .pair(let a, let b): a.isEmpty && b.isEmpty
    case .words(let words): words.isEmpty
    }
  }
}

/// A sequence as its tokens, and for `words` and `running` as the words that were looked at.
struct EncodedSequence: Sendable {
  var encoding: Encoding
  var words: [TextWord] = []
  /// Where the text begins that the words are of: in bytes and in code points.
  var begin = (bytes: 0, points: 0)

  /// For each word the place of its first token; nil for one that has none, or has lost it.
  var firstTokens: [Int?] { tokens.map(\.first) }

  /// For each word the places of its tokens. One that has lost the first of them is as one that has lost
  /// all: its tag is the first one's to say.
  var tokens: [Range<Int>] {
    var places = [Range<Int>](repeating: 0..<0, count: words.count)
    for (place, word) in encoding.words.enumerated() where word >= 0 {
      let begun = places[Int(word)]
      places[Int(word)] = (begun.isEmpty ? place : begun.lowerBound)..<place + 1
    }
    if encoding.beginsInsideWord, let word = encoding.words.first(where: { $0 >= 0 }) {
      places[Int(word)] = 0..<0
    }
    return places
  }
}

/// Encodes the sequences of one request, in order, reading no text further than its vBERT takes and no
/// query twice. A value: a piece of the work goes on with a copy.
struct SequenceEncoder: Sendable {
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

  /// An error says how long a text is up to this many tokens.
  static let countedTokens = 8192
  /// And reads so many bytes for it at most.
  private static let countedBytes = 1 << 18

  init(
    _ tokenizer: WordPiece, maxLength: Int, cut: Bool, side: TruncationSide = .right,
    addsSpecialTokens: Bool = true, mostWords: Int
  ) {
    (self.tokenizer, self.maxLength, self.cut) = (tokenizer, maxLength, cut)
    (self.side, self.addsSpecialTokens) = (side, addsSpecialTokens)
    self.mostWords = mostWords
  }

  /// What does not fit is lost at the beginning.
  var cutsLeft: Bool { cut && side == .left }

  /// `index` is the sequence's place in the request. Throws `APIError.tooLong`, `.invalid`, and what
  /// `check` throws.
  mutating func encode(
    _ input: SequenceInput, index: Int, _ check: WorkCheck
  ) throws -> EncodedSequence {
    switch input {
    case .text(let text):
      return EncodedSequence(encoding: try encode(text, index: index, check))
    case .pair(let text, let pair):
      return EncodedSequence(encoding: try encode(text, pair, index: index, check))
    case .words(let words): return try encode(words: words, index: index, check)
    case .running(let text):
      return cutsLeft
        ? try encode(endOf: text, index: index, check)
        : try encode(running: text, index: index, check)
    }
  }

  private func encode(_ text: String, index: Int, _ check: WorkCheck) throws -> Encoding {
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
      throw tooLong(reader.count + added, isExact: reader.isAtEnd, index)
    }
    return encoding
  }

  private mutating func encode(
    _ text: String, _ pair: String, index: Int, _ check: WorkCheck
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
        isExact: reader.isAtEnd && second.isAtEnd, index)
    }
    first = (text, reader, tail)
    return encoding
  }

  private func encode(words: [String], index: Int, _ check: WorkCheck) throws -> EncodedSequence {
    guard words.count <= mostWords else {
      throw APIError.invalid(
        "text \(index) has \(words.count) words; at most \(mostWords) are possible: send several texts",
        param: "inputs")
    }
    func encoding(_ maxLength: Int) throws -> Encoding {
      var rest = words.makeIterator()
      return try tokenizer.encode(maxLength: maxLength, check: { try check() }) {
        try check()
        return rest.next()
      }
    }
    let encoded =
      cutsLeft ? try encode(endOf: words, check) : try fit(index, encoding)
    var place: Int32 = 0
    let placed = words.map { word in
      let end = place + Int32(word.unicodeScalars.count)
      defer { place = end + 1 }
      return TextWord(text: word, span: TextSpan(start: place, end: end))
    }
    return EncodedSequence(encoding: encoded, words: placed)
  }

  private func encode(running text: String, index: Int, _ check: WorkCheck) throws
    -> EncodedSequence
  {
    var splitter = WordSplitter(text)
    var words: [TextWord] = []
    func encoding(_ maxLength: Int) throws -> Encoding {
      splitter = WordSplitter(text)
      words = []
      return try tokenizer.encode(maxLength: maxLength, check: { try check() }) {
        try check()
        guard let word = try splitter.next(check: { try check() }) else { return nil }
        guard words.count < mostWords else {
          throw APIError.invalid(
            "text \(index) has more than \(mostWords) words: send several texts", param: "inputs")
        }
        words.append(word)
        return word.text
      }
    }
    let encoded = try fit(index, encoding)
    // Words that were cut off are listed too, as outside of everything, up to the bound.
    while encoded.isTruncated, words.count < mostWords,
      let word = try splitter.next(check: { try check() })
    { words.append(word) }
    return EncodedSequence(encoding: encoded, words: words)
  }

  private func fit(_ index: Int, _ encoding: (Int) throws -> Encoding) throws -> Encoding {
    let encoded = try encoding(maxLength)
    if encoded.isTruncated, !cut {
      let counted = try encoding(max(maxLength + 1, Self.countedTokens))
      throw tooLong(counted.count, isExact: !counted.isTruncated, index)
    }
    return encoded
  }

  private func count(_ reader: inout TokenReader, _ check: WorkCheck) throws {
    try reader.read(past: Self.countedTokens, bytes: Self.countedBytes) { try check() }
  }

  private func tooLong(_ tokens: Int, isExact: Bool, _ index: Int) -> APIError {
    .tooLong(
      tokens: isExact ? tokens : min(tokens, max(maxLength, Self.countedTokens)),
      isExact: isExact, most: maxLength, index: index)
  }
}
