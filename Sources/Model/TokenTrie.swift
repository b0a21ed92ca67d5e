/// A prefix tree over the bytes of all tokens: several roots, edges in one open-addressing table.
///
/// A hash of (node, byte) finds the child, so that the tree costs 8 bytes an edge at half load
/// whatever its shape, and a walk allocates nothing.
struct TokenTrie: Sendable {
  /// The number of bytes it can hold: a node number has 24 bits.
  static let byteLimit = 1 << 24 - 8
  /// An edge: node << 8 | byte above, child below. No edge leads to node 0, so 0 is an empty slot.
  private var slots: [UInt64]
  private var shift: UInt64
  /// The token that ends at each node, or -1.
  private(set) var tokens: [Int32]

  /// `roots` trees, numbered from 0, room for `edgeCount` edges (the tokens' bytes).
  init(roots: Int, edgeCount: Int) {
    var bits = 4
    while 1 << bits < edgeCount * 2 { bits += 1 }
    slots = Array(repeating: 0, count: 1 << bits)
    shift = UInt64(64 - bits)
    tokens = Array(repeating: -1, count: roots)
  }

  /// The child of `node` by `byte`, or -1.
  @inline(__always)
  func child(of node: Int, by byte: UInt8) -> Int {
    let key = UInt64(truncatingIfNeeded: node << 8) | UInt64(byte)
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while true {
      let edge = slots[slot]
      if edge >> 32 == key, edge != 0 { return Int(truncatingIfNeeded: edge & 0xFFFF_FFFF) }
      if edge == 0 { return -1 }
      slot = (slot + 1) & (slots.count - 1)
    }
  }

  /// Adds a token; false, and nothing is changed but for nodes without tokens, if it is there.
  mutating func insert(_ bytes: some Sequence<UInt8>, root: Int, token: Int32) -> Bool {
    var node = root
    for byte in bytes {
      let next = child(of: node, by: byte)
      node = next >= 0 ? next : addChild(of: node, by: byte)
    }
    guard tokens[node] < 0 else { return false }
    tokens[node] = token
    return true
  }

  private mutating func addChild(of node: Int, by byte: UInt8) -> Int {
    let new = tokens.count
    precondition(new < 1 << 24 && new < slots.count)
    tokens.append(-1)
    let key = UInt64(node << 8) | UInt64(byte)
    var slot = Int(truncatingIfNeeded: (key &* 0x9E37_79B9_7F4A_7C15) >> shift)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = key << 32 | UInt64(new)
    return new
  }

  /// The token with exactly these bytes, or nil.
  func token(_ bytes: some Sequence<UInt8>, root: Int) -> Int32? {
    var node = root
    for byte in bytes {
      node = child(of: node, by: byte)
      if node < 0 { return nil }
    }
    return tokens[node] < 0 ? nil : tokens[node]
  }

  /// The longest token of `root` that `bytes` has at `start` and that ends by `end`; nil if none.
  @inline(__always)
  func longest(_ bytes: Span<UInt8>, from start: Int, to end: Int, root: Int)
    -> (token: Int32, end: Int)?
  {
    var node = root
    var found: Int32 = -1
    var foundEnd = start
    var place = start
    while place < end {
      node = child(of: node, by: bytes[place])
      if node < 0 { break }
      place += 1
      if tokens[node] >= 0 {
        found = tokens[node]
        foundEnd = place
      }
    }
    return found < 0 ? nil : (found, foundEnd)
  }
}
