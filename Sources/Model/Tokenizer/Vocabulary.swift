/// Tokens by id, as UTF-8. Swift's String would take canonically equivalent tokens for equal, so
/// tokens are bytes until they are shown.
struct Vocabulary: Sendable {
  private var bytes: [UInt8] = []
  /// Where each token ends in `bytes`.
  private var ends: [Int] = []
  /// Tokens that are no pieces of words: they were added beside the vocabulary that words are split by.
  private(set) var apart: Set<Int> = []

  var count: Int { ends.count }
  var byteCount: Int { bytes.count }

  func bytes(of id: Int) -> ArraySlice<UInt8> { bytes[(id > 0 ? ends[id - 1] : 0)..<ends[id]] }

  mutating func append(_ token: some Collection<UInt8>) throws(WordPieceError) {
    if token.isEmpty { throw .emptyToken(id: count) }
    guard String(validating: token, as: UTF8.self) != nil else { throw .invalidUTF8(id: count) }
    let total = bytes.count + token.count
    guard total <= TokenTrie.byteLimit else {
      throw .tooLarge(byteCount: total, limit: TokenTrie.byteLimit)
    }
    bytes.append(contentsOf: token)
    ends.append(bytes.count)
  }

  /// A token that words are not split into.
  mutating func append(apart token: some Collection<UInt8>) throws(WordPieceError) {
    apart.insert(count)
    try append(token)
  }

  init() {}

  /// vocab.txt: one token a line, its number the id; empty lines at the end are ignored.
  init(lines text: [UInt8]) throws(WordPieceError) {
    guard text.count <= 2 * TokenTrie.byteLimit else {
      throw .tooLarge(byteCount: text.count, limit: 2 * TokenTrie.byteLimit)
    }
    var lines = text.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      .map { $0.last == UInt8(ascii: "\r") ? $0.dropLast() : $0 }
    while lines.last?.isEmpty == true { lines.removeLast() }
    for line in lines { try append(line) }
  }
}
