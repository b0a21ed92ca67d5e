/// Added tokens that are found in the normalised text: a prefix tree over their own normalised
/// characters.
struct NormalizedTokens: Sendable {
  struct Found: Sendable {
    let token: Int32
    let isSingleWord: Bool
  }

  private struct Edge: Hashable {
    let node: Int32
    let scalar: UInt32
  }

  private var edges: [Edge: Int32] = [:]
  private var ends: [Int32: Found] = [:]
  private var inner: Set<Int32> = []
  /// What a token can begin with: bits for ASCII, a set for the rest.
  private var ascii: (UInt64, UInt64) = (0, 0)
  private var others: Set<UInt32> = []
  private var ids: [[UInt8]: Int32] = [:]
  /// Whether one of them has a space, also one around an ideograph.
  private(set) var holdSpaces = false

  /// No token is longer, in characters.
  static let longest = 1000
  static let root: Int32 = 0

  init() {}

  /// Throws `WordPieceError.unsupported` for tokens that are empty or the same when normalised, or too
  /// long.
  init(
    _ tokens: [(token: AddedToken, id: Int32)], _ options: BasicNormalizer.Options
  ) throws(WordPieceError) {
    for (token, id) in tokens {
      ids[Array(token.content.utf8)] = id
      let name = "tokenizer.json: the added token \"\(token.content.clipped)\""
      let characters = NormalizedText.characters(of: token.content, options)
      guard 1...Self.longest ~= characters.count else {
        throw .unsupported(
          "\(name) has \(characters.count) characters when normalised; 1 to \(Self.longest) are possible"
        )
      }
      holdSpaces = holdSpaces || characters.contains(0x20)
      var node = Self.root
      for scalar in characters {
        inner.insert(node)
        let edge = Edge(node: node, scalar: scalar)
        node = edges[edge] ?? Int32(edges.count + 1)
        edges[edge] = node
      }
      guard
        ends.updateValue(Found(token: id, isSingleWord: token.isSingleWord), forKey: node) == nil
      else { throw .unsupported("\(name) is another added token when normalised; remove one") }
      switch characters[0] {
      case let first where first < 64: ascii.0 |= 1 << UInt64(first)
      case let first where first < 128: ascii.1 |= 1 << UInt64(first - 64)
      case let first: others.insert(first)
      }
    }
  }

  var isEmpty: Bool { ids.isEmpty }

  func id(of token: [UInt8]) -> Int32? { ids[token] }

  @inline(__always)
  func canBegin(with scalar: UInt32) -> Bool {
    if scalar < 64 { return ascii.0 >> UInt64(scalar) & 1 == 1 }
    if scalar < 128 { return ascii.1 >> UInt64(scalar - 64) & 1 == 1 }
    return !others.isEmpty && others.contains(scalar)
  }

  func next(_ node: Int32, _ scalar: UInt32) -> Int32? {
    edges[Edge(node: node, scalar: scalar)]
  }

  func end(_ node: Int32) -> Found? { ends[node] }

  /// Whether a longer token goes through this node.
  func goesOn(_ node: Int32) -> Bool { inner.contains(node) }
}

/// A text's normalised characters, the spaces between them as spaces.
private struct NormalizedText: CharacterSink {
  private var characters: [UInt32] = []
  let isFull = false

  static func characters(of text: String, _ options: BasicNormalizer.Options) -> [UInt32] {
    var (normalizer, sink) = (BasicNormalizer(options), NormalizedText())
    for scalar in text.unicodeScalars { normalizer.append(scalar.value, source: 0, to: &sink) }
    normalizer.endPiece(writer: &sink)
    return sink.characters
  }

  mutating func append(ascii byte: UInt8, source: Int32) { characters.append(UInt32(byte)) }
  mutating func append(_ scalar: UInt32, source: Int32) { characters.append(scalar) }
  mutating func mark(_ scalar: UInt32, source: Int32) { characters.append(scalar) }
  mutating func space(source: Int32) { characters.append(0x20) }
  mutating func append(token: Int32, span: TextSpan) {}
  mutating func endPiece() {}
}
