internal import HTTPTypes
internal import Hummingbird

/// An answer that is written piece by piece, so that no more of it than a piece is ever in memory
/// beside what it is made of.
protocol JSONPieces: Sendable {
  /// Writes the next piece; false when that was the last.
  mutating func next(_ writer: inout JSONWriter) -> Bool
}

/// A list of items, perhaps with something around it.
struct JSONItems: JSONPieces {
  private let opening: @Sendable (inout JSONWriter) -> Void
  private let count: Int
  private let item: @Sendable (Int, inout JSONWriter) -> Void
  private let closing: @Sendable (inout JSONWriter) -> Void
  private var written = 0

  init(
    _ count: Int, opening: @escaping @Sendable (inout JSONWriter) -> Void = { $0.open("[") },
    closing: @escaping @Sendable (inout JSONWriter) -> Void = { $0.close("]") },
    item: @escaping @Sendable (Int, inout JSONWriter) -> Void
  ) {
    (self.opening, self.count, self.item, self.closing) = (opening, count, item, closing)
  }

  mutating func next(_ writer: inout JSONWriter) -> Bool {
    if written == 0 { opening(&writer) }
    if written < count {
      item(written, &writer)
      written += 1
    }
    if written == count { closing(&writer) }
    return written < count
  }
}

extension Response {
  /// Pieces are gathered to chunks of so many bytes; an answer that is one chunk has a Content-Length.
  private static var chunk: Int { 1 << 15 }

  /// `memory` is held until the last byte is out.
  init(_ pieces: some JSONPieces, headers: HTTPFields = [:], holding memory: RequestMemory.Share) {
    var pieces = pieces
    var writer = JSONWriter()
    while writer.bytes.count < 2 * Self.chunk {
      if !pieces.next(&writer) {
        self.init(json: writer, headers: headers)
        return
      }
    }
    var headers = headers
    headers[.contentType] = "application/json"
    let (begun, rest) = (writer, pieces)
    self.init(
      status: .ok, headers: headers,
      body: ResponseBody { out in
        var (writer, pieces) = (begun, rest)
        var hasMore = true
        while hasMore {
          if writer.bytes.count >= Self.chunk { try await Self.write(writer.take(), to: &out) }
          hasMore = pieces.next(&writer)
        }
        try await Self.write(writer.take(), to: &out)
        try await out.finish(nil)
        withExtendedLifetime(memory) {}
      })
  }

  /// In parts that a peer must take one by one: however slow it is, it is seen to take something.
  private static func write(_ bytes: [UInt8], to out: inout any ResponseBodyWriter) async throws {
    var buffer = ByteBuffer(bytes: bytes)
    while let part = buffer.readSlice(length: min(Self.chunk, buffer.readableBytes)),
      part.readableBytes > 0
    {
      try await out.write(part)
    }
  }
}
