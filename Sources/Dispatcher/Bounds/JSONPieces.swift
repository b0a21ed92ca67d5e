internal import HTTPTypes
internal import Hummingbird
internal import Manager
internal import Scheduler

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

  /// One item may be written without a list around it.
  init(
    _ count: Int, isSingle: Bool, item: @escaping @Sendable (Int, inout JSONWriter) -> Void
  ) {
    if isSingle {
      self.init(count, opening: { _ in }, closing: { _ in }, item: item)
    } else {
      self.init(count, item: item)
    }
  }

  /// OpenAI's lists: an object whose `data` they are, with other members `before` and `after` it.
  static func data(
    _ count: Int, before: @escaping @Sendable (inout JSONWriter) -> Void,
    after: @escaping @Sendable (inout JSONWriter) -> Void,
    item: @escaping @Sendable (Int, inout JSONWriter) -> Void
  ) -> JSONItems {
    JSONItems(
      count,
      opening: { writer in
        writer.open("{")
        before(&writer)
        writer.key("data")
        writer.open("[")
      },
      closing: { writer in
        writer.close("]")
        after(&writer)
        writer.close("}")
      }, item: item)
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

  /// Beyond the first chunks pieces are written by `workers`, in turns with other tenants' work. The
  /// call's memory is held until the last byte is out.
  init(
    _ pieces: some JSONPieces, headers: HTTPFields = [:], to call: Call, _ workers: Workers
  ) {
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
        // How long the peer takes for it is the connection's to judge.
        let arrival = Arrival(
          tenant: call.tenant.id, weight: call.arrival.weight, deadline: .now + .seconds(86_400))
        var (writer, pieces, hasMore) = (begun, rest, true)
        while hasMore {
          try await Self.write(writer.take(), to: &out)
          let (before, left) = (writer, pieces)
          (writer, pieces, hasMore) = try await workers.run(arrival, bytes: Self.chunk) { _ in
            var (writer, pieces, hasMore) = (before, left, true)
            while hasMore, writer.bytes.count < Self.chunk { hasMore = pieces.next(&writer) }
            return (writer, pieces, hasMore)
          }
        }
        try await Self.write(writer.take(), to: &out)
        try await out.finish(nil)
        withExtendedLifetime(call.memory) {}
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
