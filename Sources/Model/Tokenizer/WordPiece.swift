/// BERT's tokeniser, and MPNet's: to the id and to the code point what Hugging Face's fast ones make.
///
/// Immutable after `init`, so that one value serves all threads.
package struct WordPiece: Tokenizer {
  static let specialRoot = 2

  let options: BasicNormalizer.Options
  private let vocabulary: Vocabulary
  /// Three trees: what begins a word, what continues one, and special tokens.
  let trie: TokenTrie
  /// Per byte: a special token begins with it.
  let beginsSpecial: [Bool]
  /// Bytes of the longest special token.
  let longestSpecial: Int
  /// Of special tokens that are not found by their bytes alone.
  private let rules: [Int32: AddedToken]
  /// Whether some of them take in white space beside them.
  let takesSpace: Bool
  let normalizedTokens: NormalizedTokens
  /// Stands in a writer's place while that one is elsewhere, so that no array is copied.
  private let placeholder: PieceWriter
  /// Per ASCII byte: 0 dropped, 1 a space, 2 punctuation, else the byte that stands for it.
  let ascii: [UInt8]
  let unknown: Int32
  package let special: SpecialTokens
  package let classification: Int32
  package let separator: Int32

  package var vocabularySize: Int { vocabulary.count }

  /// vocab.txt: one token a line. `stripAccents` nil means as `lowercase`.
  ///
  /// Throws where the vocabulary is empty or too large, has an empty, repeated or non-UTF-8 token,
  /// or lacks what it needs of `special`.
  package init(
    vocabulary text: [UInt8], lowercase: Bool = true, stripAccents: Bool? = nil,
    handleChineseCharacters: Bool = true, special: SpecialTokens = .bert
  ) throws(WordPieceError) {
    try self.init(
      Vocabulary(lines: text), special: special, added: special.added,
      options: BasicNormalizer.Options(
        lowercase: lowercase, stripAccents: stripAccents ?? lowercase,
        spacesIdeographs: handleChineseCharacters))
  }

  /// `added`: tokens that are found in the text before it is split into words, by their content; those
  /// that the vocabulary lacks are ignored.
  init(
    _ vocabulary: Vocabulary, special: SpecialTokens, added: [AddedToken],
    options: BasicNormalizer.Options
  ) throws(WordPieceError) {
    if vocabulary.count == 0 { throw .empty }
    var trie = TokenTrie(roots: 3)
    var beginsSpecial = [Bool](repeating: false, count: 256)
    var rules: [Int32: AddedToken] = [:]
    var normalized: [(token: AddedToken, id: Int32)] = []
    let specials = Dictionary(added.map { (Array($0.content.utf8), $0) }) { $1 }
    let prefix = Array("##".utf8)
    for id in 0..<vocabulary.count {
      let token = vocabulary.bytes(of: id)
      let continues = token.count > prefix.count && token.starts(with: prefix)
      let isNew =
        vocabulary.apart.contains(id)
        || trie.insert(
          continues ? token.dropFirst(prefix.count) : token,
          root: continues ? PieceWriter.continuationRoot : PieceWriter.wordRoot, token: Int32(id))
      guard isNew else { throw .duplicate(token: String(decoding: token, as: UTF8.self), id: id) }
      if let first = token.first, let rule = specials[Array(token)] {
        guard !rule.isNormalized else {
          normalized.append((rule, Int32(id)))
          continue
        }
        guard trie.insert(token, root: Self.specialRoot, token: Int32(id)) else {
          throw .duplicate(token: String(decoding: token, as: UTF8.self), id: id)
        }
        beginsSpecial[Int(first)] = true
        if !rule.isPlain { rules[Int32(id)] = rule }
      }
    }
    normalizedTokens = try NormalizedTokens(normalized, options)
    let found = normalizedTokens
    func find(_ name: String) throws(WordPieceError) -> Int32 {
      let bytes = Array(name.utf8)
      let id =
        trie.token(bytes, root: PieceWriter.wordRoot) ?? trie.token(bytes, root: Self.specialRoot)
      guard let id = id ?? found.id(of: bytes) else { throw .missing(token: name) }
      return id
    }
    unknown = try find(special.unknown)
    classification = try find(special.classification)
    separator = try find(special.separator)
    ascii = (0..<128).map { (byte: UInt8) in
      let traits = BertUnicode.shared.traits(of: UInt32(byte))
      if traits.contains(.drop) { return 0 }
      if traits.contains(.space) { return 1 }
      if traits.contains(.punctuation) { return 2 }
      return options.lowercase && traits.contains(.lowers) ? byte | 0x20 : byte
    }
    self.options = options
    self.special = special
    self.vocabulary = vocabulary
    self.trie = trie
    self.beginsSpecial = beginsSpecial
    self.rules = rules
    takesSpace = rules.values.contains { $0.takesSpaceBefore || $0.takesSpaceBehind }
    placeholder = PieceWriter(trie: trie, unknown: unknown, limit: 0)
    longestSpecial = added.map(\.content.utf8.count).max() ?? 0
  }

  /// The token's text; nil where there is no such id.
  package func token(_ id: Int32) -> String? {
    guard id >= 0, id < vocabulary.count else { return nil }
    return String(decoding: vocabulary.bytes(of: Int(id)), as: UTF8.self)
  }

  /// The id of a token given by its text; nil where the vocabulary lacks it.
  package func id(of token: String) -> Int32? {
    let bytes = Array(token.utf8)
    let continues = bytes.count > 2 && bytes.starts(with: "##".utf8)
    let piece =
      continues
      ? trie.token(bytes.dropFirst(2), root: PieceWriter.continuationRoot)
      : trie.token(bytes, root: PieceWriter.wordRoot)
    return piece ?? trie.token(bytes, root: Self.specialRoot) ?? normalizedTokens.id(of: bytes)
  }

  /// How far a text has been read, and what waits for the code points after that.
  struct Scan: Sendable {
    /// In UTF-8 bytes, and in code points.
    fileprivate(set) var place = 0
    fileprivate(set) var source: Int32 = 0
    /// Up to here no special token is looked for: one that may not stand there was found.
    fileprivate var passed = 0
    /// Where the last special token ended, the white space with it that it took.
    fileprivate var taken = 0
    fileprivate var normalizer: BasicNormalizer
    /// What may become a token.
    fileprivate var waiting = MatchingSink.Waiting()

    /// `place` is one where nothing waits (`isBoundary`); code points are counted from there.
    init(_ options: BasicNormalizer.Options, at place: Int = 0) {
      normalizer = BasicNormalizer(options)
      self.place = place
    }
  }

  /// The text has no more: its last word ends.
  func end(_ scan: inout Scan, _ writer: inout PieceWriter) {
    guard !normalizedTokens.isEmpty else { return scan.normalizer.endPiece(writer: &writer) }
    var sink = take(&scan, &writer)
    scan.normalizer.endPiece(writer: &sink)
    (scan.waiting, writer) = (sink.waiting, sink.writer)
  }

  /// A sink with the writer and what waits in it, which are to be put back.
  private func take(_ scan: inout Scan, _ writer: inout PieceWriter) -> MatchingSink {
    let sink = MatchingSink(normalizedTokens, scan.waiting, writer)
    (scan.waiting, writer) = (MatchingSink.Waiting(), placeholder)
    return sink
  }

  /// Writes the tokens of a text from where `scan` is, until `stop` bytes of it are read (a code point
  /// or special token that begins before is read whole) or the writer is full.
  func scan(_ text: Span<UInt8>, _ scan: inout Scan, to stop: Int, into writer: inout PieceWriter) {
    guard !normalizedTokens.isEmpty else { return run(text, &scan, to: stop, into: &writer) }
    var sink = take(&scan, &writer)
    run(text, &scan, to: stop, into: &sink)
    (scan.waiting, writer) = (sink.waiting, sink.writer)
  }

  private func run(
    _ text: Span<UInt8>, _ scan: inout Scan, to stop: Int, into writer: inout some CharacterSink
  ) {
    var place = scan.place
    var source = scan.source
    while place < stop, !writer.isFull {
      let byte = text[place]
      if beginsSpecial[Int(byte)], place >= scan.passed,
        let special = trie.longest(text, from: place, to: text.count, root: Self.specialRoot)
      {
        if let rule = rules[special.token], rule.isSingleWord,
          text.touchesWord(place..<special.end)
        {
          scan.passed = special.end
        } else {
          scan.normalizer.endPiece(writer: &writer)
          let rule = rules[special.token]
          let before =
            rule?.takesSpaceBefore == true ? text.space(before: place, from: scan.taken) : 0
          let start = source - before
          for i in place..<special.end where text[i] & 0xC0 != 0x80 { source += 1 }
          place = special.end
          if rule?.takesSpaceBehind == true {
            let space = text.space(behind: place)
            source += space.count
            place = space.end
          }
          writer.append(token: special.token, span: TextSpan(start: start, end: source))
          scan.taken = place
          continue
        }
      }
      if byte < 0x80 {
        let action = ascii[Int(byte)]
        if action > 0 { scan.normalizer.endRun(writer: &writer) }
        switch action {
        case 0: break
        case 1: writer.space(source: source)
        case 2: writer.mark(UInt32(byte), source: source)
        default: writer.append(ascii: action, source: source)
        }
        place += 1
      } else {
        let (scalar, length) = text.scalar(at: place)
        scan.normalizer.append(scalar, source: source, to: &writer)
        place += length
      }
      source += 1
    }
    scan.place = place
    scan.source = source
  }
}
