internal import Model

/// Reads multipart/form-data (RFC 7578, RFC 2046 5.1) as it comes, in pieces of any length: memory for what
/// stands before a part's bytes and for a boundary, however long the parts are.
struct MultipartReader {
  struct Part: Equatable {
    var name: String
    var fileName: String?
  }

  enum Event: Equatable {
    case part(Part)
    /// The next bytes of the part.
    case bytes([UInt8])
    case endOfPart
  }

  private enum State { case preamble, afterBoundary, head, bytes, over }

  /// With the line break that belongs to it.
  private let boundary: [UInt8]
  private var state = State.preamble
  /// What came and is not read yet.
  private var buffer: [UInt8]
  /// What stands before a part's bytes.
  private static let longestHead = 8192

  /// `boundary`: as Content-Type says it.
  init(boundary: String) {
    self.boundary = Array("\r\n--\(boundary)".utf8)
    // The first boundary may be the very first line.
    buffer = Array("\r\n".utf8)
  }

  /// Whether the last boundary was there.
  var isOver: Bool { state == .over }

  /// Tells what the next bytes bring. Throws `MultipartProblem`, and what `hear` does. O(bytes).
  mutating func read(_ bytes: some Collection<UInt8>, _ hear: (Event) throws -> Void) throws {
    if state == .over { return }
    buffer.append(contentsOf: bytes)
    var at = 0
    while try step(&at, hear) {}
    buffer.removeFirst(at)
  }

  /// false where more must come first.
  private mutating func step(_ at: inout Int, _ hear: (Event) throws -> Void) throws -> Bool {
    switch state {
    case .preamble:
      let found = buffer.find(boundary, from: at)
      at = found.map { $0 + boundary.count } ?? max(at, buffer.count - boundary.count + 1)
      if found != nil { state = .afterBoundary }
      return found != nil
    case .afterBoundary:
      guard buffer.count - at >= 2 else { return false }
      if buffer[at] == UInt8(ascii: "-"), buffer[at + 1] == UInt8(ascii: "-") {
        (state, at) = (.over, buffer.count)
        return false
      }
      // Spaces may stand behind it.
      guard let end = buffer.find([13, 10], from: at) else {
        guard buffer.count - at <= Self.longestHead else { throw MultipartProblem.head }
        return false
      }
      guard buffer[at..<end].allSatisfy({ $0 == 32 || $0 == 9 }) else {
        throw MultipartProblem.boundary
      }
      // The line's end belongs to an empty head, too.
      (state, at) = (.head, end)
      return true
    case .head:
      guard let end = buffer.find([13, 10, 13, 10], from: at) else {
        guard buffer.count - at <= Self.longestHead else { throw MultipartProblem.head }
        return false
      }
      guard end - at <= Self.longestHead else { throw MultipartProblem.head }
      try hear(.part(try MultipartHead(buffer[at..<end]).part))
      (state, at) = (.bytes, end + 4)
      return true
    case .bytes:
      let found = buffer.find(boundary, from: at)
      let end = found ?? max(at, buffer.count - boundary.count + 1)
      if end > at { try hear(.bytes(Array(buffer[at..<end]))) }
      at = end
      guard found != nil else { return false }
      try hear(.endOfPart)
      (state, at) = (.afterBoundary, end + boundary.count)
      return true
    case .over: return false
    }
  }
}

extension [UInt8] {
  /// Where `wanted` begins, from there on.
  fileprivate func find(_ wanted: [UInt8], from start: Int) -> Int? {
    guard let first = wanted.first, count >= wanted.count else { return nil }
    var at = start
    while at <= count - wanted.count {
      guard let next = self[at...(count - wanted.count)].firstIndex(of: first) else { return nil }
      if self[next..<next + wanted.count].elementsEqual(wanted) { return next }
      at = next + 1
    }
    return nil
  }
}

/// What is wrong with a multipart body.
enum MultipartProblem: Error, Equatable, CustomStringConvertible {
  case contentType
  case boundary
  case head
  case noName
  case cutShort

  var description: String {
    switch self {
    case .contentType:
      "multipart/form-data with a boundary was expected, as in: curl -F purpose=fine-tune -F file=@train.jsonl"
    case .boundary: "something stands behind a boundary"
    case .head: "a part's head is too long"
    case .noName: "a part's Content-Disposition has no name"
    case .cutShort: "it ends before the last boundary"
    }
  }
}
