/// A prefix tree over the bytes of all tokens: several roots, edges in one open-addressing table.
///
/// A hash of (node, byte) finds the child, so that an edge costs at most 32 bytes whatever the
/// tree's shape, and a walk allocates nothing and mostly stays in the cache.
struct TokenTrie: Sendable {
  /// How many bytes a vocabulary may have: a node number has 24 bits, and a special token is put
  /// into two trees.
  static let byteLimit = 1 << 23 - 8

  /// Node << 8 | byte in the upper half; in the lower the child, and `endsToken` where a token ends
  /// there, so that only then `tokens` is read. No edge leads to node 0: 0 is an empty slot.
  private var edges: [UInt64]
  private var bits = 4
  /// The token that ends at each node, or -1.
  private var tokens: [Int32]
  private static let endsToken = UInt64(1) << 31

  /// `roots` empty trees, numbered from 0.
  init(roots: Int) {
    edges = Array(repeating: 0, count: 1 << bits)
    tokens = Array(repeating: -1, count: roots)
  }

  /// Where the edge is, or where it would be put.
  @inline(__always)
  private func slot(of key: UInt64) -> Int {
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> UInt64(64 &- bits))
    while edges[slot] != 0, edges[slot] >> 32 != key { slot = (slot &+ 1) & (edges.count &- 1) }
    return slot
  }

  /// The lower half of the edge from `node` by `byte`, or 0.
  @inline(__always)
  private func edge(from node: UInt64, by byte: UInt8) -> UInt64 {
    edges[slot(of: node << 8 | UInt64(byte))] & 0xFFFF_FFFF
  }

  /// Adds a token that is not empty; false if it is there.
  mutating func insert(_ bytes: some Sequence<UInt8>, root: Int, token: Int32) -> Bool {
    var node = UInt64(root)
    var last = 0
    for byte in bytes {
      if 2 * tokens.count > edges.count { grow() }
      let key = node << 8 | UInt64(byte)
      last = slot(of: key)
      if edges[last] == 0 {
        precondition(tokens.count < 1 << 24)
        edges[last] = key << 32 | UInt64(tokens.count)
        tokens.append(-1)
      }
      node = edges[last] & 0xFF_FFFF
    }
    guard tokens[Int(node)] < 0 else { return false }
    tokens[Int(node)] = token
    edges[last] |= Self.endsToken
    return true
  }

  /// Doubles the table, so that at most half of it is used.
  private mutating func grow() {
    let old = edges
    bits += 1
    edges = Array(repeating: 0, count: 1 << bits)
    for edge in old where edge != 0 { edges[slot(of: edge >> 32)] = edge }
  }

  /// The token with exactly these bytes, or nil.
  func token(_ bytes: some Sequence<UInt8>, root: Int) -> Int32? {
    var node = UInt64(root)
    for byte in bytes {
      node = edge(from: node, by: byte) & 0xFF_FFFF
      if node == 0 { return nil }
    }
    let token = tokens[Int(node)]
    return token < 0 ? nil : token
  }

  /// The longest token of `root` that `bytes` has at `start` and that ends by `end`; nil if none.
  @inline(__always)
  func longest(_ bytes: Span<UInt8>, from start: Int, to end: Int, root: Int)
    -> (token: Int32, end: Int)?
  {
    var node = UInt64(root)
    var found = 0
    var foundEnd = start
    var place = start
    while place < end {
      let edge = edge(from: node, by: bytes[place])
      if edge == 0 { break }
      node = edge & 0xFF_FFFF
      place += 1
      if edge & Self.endsToken != 0 {
        found = Int(node)
        foundEnd = place
      }
    }
    return found == 0 ? nil : (tokens[found], foundEnd)
  }
}
