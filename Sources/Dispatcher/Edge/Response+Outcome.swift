internal import HTTPTypes
internal import Hummingbird
internal import Manager
internal import Scheduler

extension Response {
  /// The memory that the request holds is held until the last byte is out.
  init(_ outcome: Outcome, to caller: Caller, _ workers: Workers) {
    var headers = HTTPFields()
    headers.reserveCapacity(outcome.fields.count + 2)
    for (field, value) in outcome.fields {
      if let name = AnswerField.names[field] { headers.append(HTTPField(name: name, value: value)) }
    }
    switch outcome.body {
    case .json(let writer): self.init(json: writer, headers: headers)
    case .pieces(let pieces): self.init(pieces, headers: headers, to: caller, workers)
    case .stream(let stream): self.init(stream, headers: headers)
    case .tensors(let json, let bytes):
      headers[.contentType] = "application/octet-stream"
      headers[.inferenceHeaderLength] = String(json.bytes.count)
      var buffer = ByteBuffer(bytes: json.bytes)
      buffer.writeBytes(bytes)
      self.init(status: .ok, headers: headers, body: ResponseBody(byteBuffer: buffer))
    case .text(let text, let type):
      headers[.contentType] = type
      self.init(
        status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
    }
  }
}

extension AnswerField {
  /// Made once: every construction checks the name's characters.
  fileprivate static let names: [AnswerField: HTTPField.Name] = Dictionary(
    uniqueKeysWithValues: allCases.compactMap { field in
      HTTPField.Name(field.rawValue).map { (field, $0) }
    })
}

extension Response {
  init(json: JSONWriter, status: HTTPResponse.Status = .ok, headers: HTTPFields = [:]) {
    var headers = headers
    headers[.contentType] = "application/json"
    self.init(
      status: status, headers: headers,
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: json.bytes)))
  }
}

extension Response {
  /// Pieces are gathered to chunks of so many bytes; an answer that is one chunk has a Content-Length.
  private static var chunk: Int { 1 << 15 }

  /// Beyond the first chunks pieces are written by `workers`, in turns with other tenants' work. The
  /// caller's memory is held until the last byte is out.
  init(
    _ pieces: some JSONPieces, headers: HTTPFields = [:], to caller: Caller, _ workers: Workers
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
          tenant: caller.tenant.id, weight: caller.arrival.weight, deadline: .now + .seconds(86_400)
        )
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
        withExtendedLifetime(caller.memory) {}
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
