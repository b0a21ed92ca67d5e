/// Finds `NormalizedTokens` in what is written, leftmost first and of those the longest, and hands all
/// else on to a `PieceWriter`. What may become a token waits: at most as much as the longest one has.
///
/// Costs time in proportion to the text and the longest token.
struct MatchingSink: CharacterSink {
  fileprivate struct Character {
    let scalar: UInt32
    let source: Int32
    let kind: Kind

    enum Kind { case inside, mark, space }
  }

  /// What waits, between two stretches of a text.
  struct Waiting: Sendable {
    fileprivate var characters: [Character] = []
    /// How far they were followed, and the longest token that was found.
    fileprivate var node = NormalizedTokens.root
    fileprivate var place = 0
    fileprivate var best: (found: NormalizedTokens.Found, end: Int)?
    /// The character before them in what was normalised together.
    fileprivate var before: UInt32?
  }

  private let tokens: NormalizedTokens
  private(set) var waiting: Waiting
  private(set) var writer: PieceWriter

  init(_ tokens: NormalizedTokens, _ waiting: Waiting, _ writer: PieceWriter) {
    (self.tokens, self.waiting, self.writer) = (tokens, waiting, writer)
  }

  var isFull: Bool { writer.isFull }

  mutating func append(ascii byte: UInt8, source: Int32) {
    take(Character(scalar: UInt32(byte), source: source, kind: .inside))
  }

  mutating func append(_ scalar: UInt32, source: Int32) {
    take(Character(scalar: scalar, source: source, kind: .inside))
  }

  mutating func mark(_ scalar: UInt32, source: Int32) {
    take(Character(scalar: scalar, source: source, kind: .mark))
  }

  mutating func space(source: Int32) {
    take(Character(scalar: 0x20, source: source, kind: .space))
  }

  /// A token that was found in the raw text, whose piece has ended.
  mutating func append(token: Int32, span: TextSpan) { writer.append(token: token, span: span) }

  mutating func endPiece() {
    follow(isLast: true)
    writer.endPiece()
    waiting.before = nil
  }

  @inline(__always)
  private mutating func take(_ character: Character) {
    if waiting.characters.isEmpty, !tokens.canBegin(with: character.scalar) {
      return hand(on: character)
    }
    waiting.characters.append(character)
    follow(isLast: false)
  }

  private mutating func hand(on character: Character) {
    switch character.kind {
    case .inside: writer.append(character.scalar, source: character.source)
    case .mark: writer.mark(character.scalar, source: character.source)
    case .space: writer.space(source: character.source)
    }
    waiting.before = character.scalar
  }

  /// Until nothing waits, or what waits must see more. `isLast`: there is no more.
  private mutating func follow(isLast: Bool) {
    while !waiting.characters.isEmpty {
      while waiting.place < waiting.characters.count,
        let next = tokens.next(waiting.node, waiting.characters[waiting.place].scalar)
      {
        waiting.node = next
        waiting.place += 1
        if let found = tokens.end(next) { waiting.best = (found, waiting.place) }
      }
      let isOpen = waiting.place == waiting.characters.count && tokens.goesOn(waiting.node)
      if isOpen, !isLast { return }
      guard let (found, end) = waiting.best else {
        hand(on: waiting.characters[0])
        drop(1)
        continue
      }
      if found.isSingleWord {
        if end == waiting.characters.count, !isLast { return }
        if touchesWord(end) {
          // What was found is passed over, not looked at again.
          for character in waiting.characters[..<end] { hand(on: character) }
          drop(end)
          continue
        }
      }
      writer.endWord()
      let (first, last) = (waiting.characters[0], waiting.characters[end - 1])
      writer.append(
        token: found.token, span: TextSpan(start: first.source, end: last.source + 1))
      waiting.before = last.scalar
      drop(end)
    }
  }

  private func touchesWord(_ end: Int) -> Bool {
    let next = end < waiting.characters.count ? waiting.characters[end].scalar : nil
    return [waiting.before, next].contains { scalar in
      scalar.flatMap(Unicode.Scalar.init)?.isWordPart == true
    }
  }

  private mutating func drop(_ count: Int) {
    waiting.characters.removeFirst(count)
    (waiting.node, waiting.place, waiting.best) = (NormalizedTokens.root, 0, nil)
  }
}
