/// What normalised text is written to, character by character.
protocol CharacterSink {
  /// Whether nothing more need be written.
  var isFull: Bool { get }

  mutating func append(ascii byte: UInt8, source: Int32)
  /// A character inside a word.
  mutating func append(_ scalar: UInt32, source: Int32)
  /// One that is a word of its own.
  mutating func mark(_ scalar: UInt32, source: Int32)
  /// White space, also that set around an ideograph.
  mutating func space(source: Int32)
  /// A token of its own; the piece before it has been ended.
  mutating func append(token: Int32, span: TextSpan)
  /// The end of what is normalised together: of the text, or before a special token.
  mutating func endPiece()
}

extension PieceWriter: CharacterSink {
  @inline(__always)
  mutating func mark(_ scalar: UInt32, source: Int32) {
    endWord()
    append(scalar, source: source)
    endWord()
  }

  @inline(__always)
  mutating func space(source: Int32) { endWord() }

  @inline(__always)
  mutating func endPiece() { endWord() }
}
