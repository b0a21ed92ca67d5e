/// Collects the normalised characters of a word, splits it into the longest pieces of the
/// vocabulary, first to last, and writes them out (WordPiece: Schuster and Nakajima 2012, as BERT
/// uses it).
///
/// A word costs at most its length times the longest token, and its length has a bound, so a text
/// costs time linear in its length.
struct PieceWriter {
  /// A longer word is unknown as a whole: BERT's `max_input_chars_per_word`.
  static let maxCharacters = 100
  static let wordRoot = 0
  static let continuationRoot = 1

  private let trie: TokenTrie
  private let unknown: Int32
  /// More tokens than this need not be written.
  var limit: Int
  /// Tokens that were written and let go.
  private var dropped = 0
  private(set) var ids: [Int32] = []
  private(set) var spans: [TextSpan] = []

  /// UTF-8 of the word so far, and for each byte the code point of the text that it came from.
  private var word = [UInt8](repeating: 0, count: 4 * maxCharacters)
  private var sources = [Int32](repeating: 0, count: 4 * maxCharacters)
  private var length = 0
  private var characters = 0
  private var firstSource: Int32 = 0
  private var lastSource: Int32 = 0

  init(trie: TokenTrie, unknown: Int32, limit: Int) {
    self.trie = trie
    self.unknown = unknown
    self.limit = limit
  }

  /// Tokens written so far, those that were let go among them.
  var count: Int { dropped + ids.count }
  var isFull: Bool { count > limit }

  /// Lets go of tokens past the first `keep`; they stay counted.
  mutating func drop(beyond keep: Int) {
    guard ids.count > keep else { return }
    dropped += ids.count - keep
    ids.removeSubrange(keep...)
    spans.removeSubrange(keep...)
  }

  /// Lets go of tokens before the last `keep`; they stay counted.
  mutating func drop(before keep: Int) {
    guard ids.count > keep else { return }
    dropped += ids.count - keep
    ids.removeFirst(ids.count - keep)
    spans.removeFirst(spans.count - keep)
  }

  mutating func reserve(_ count: Int) {
    ids.reserveCapacity(count)
    spans.reserveCapacity(count)
  }

  /// A token of its own; the word before it has been ended.
  mutating func append(token: Int32, span: TextSpan) {
    ids.append(token)
    spans.append(span)
  }

  @inline(__always)
  mutating func append(ascii byte: UInt8, source: Int32) {
    guard begin(source: source) else { return }
    put(byte, source)
  }

  mutating func append(_ scalar: UInt32, source: Int32) {
    guard begin(source: source) else { return }
    func continuation(_ shift: UInt32) -> UInt8 { UInt8(0x80 | scalar >> shift & 0x3F) }
    switch scalar {
    case ..<0x80:
      put(UInt8(scalar), source)
    case ..<0x800:
      put(UInt8(0xC0 | scalar >> 6), source)
      put(continuation(0), source)
    case ..<0x10000:
      put(UInt8(0xE0 | scalar >> 12), source)
      put(continuation(6), source)
      put(continuation(0), source)
    default:
      put(UInt8(0xF0 | scalar >> 18), source)
      put(continuation(12), source)
      put(continuation(6), source)
      put(continuation(0), source)
    }
  }

  /// Counts a character; false where the word is already too long to be known.
  @inline(__always)
  private mutating func begin(source: Int32) -> Bool {
    if characters == 0 { firstSource = source }
    lastSource = source
    characters += 1
    return characters <= Self.maxCharacters
  }

  @inline(__always)
  private mutating func put(_ byte: UInt8, _ source: Int32) {
    word[length] = byte
    sources[length] = source
    length += 1
  }

  /// Writes the pieces of the word, if there is one, and begins the next.
  mutating func endWord() {
    guard characters > 0 else { return }
    if characters > Self.maxCharacters || !appendPieces() {
      append(token: unknown, span: TextSpan(start: firstSource, end: lastSource + 1))
    }
    length = 0
    characters = 0
  }

  /// False, and nothing written, if a part of the word is in no piece.
  private mutating func appendPieces() -> Bool {
    let before = ids.count
    var start = 0
    var root = Self.wordRoot
    while start < length {
      guard let piece = trie.longest(word.span, from: start, to: length, root: root) else {
        ids.removeSubrange(before...)
        spans.removeSubrange(before...)
        return false
      }
      let span = TextSpan(start: sources[start], end: sources[piece.end - 1] + 1)
      append(token: piece.token, span: span)
      start = piece.end
      root = Self.continuationRoot
    }
    return true
  }
}
