internal import HTTPTypes
internal import Hummingbird
internal import Manager
internal import NIOCore
internal import NIOHTTP1
internal import Scheduler

extension Dispatcher {
  /// POST /v1/files: a form with `purpose` and `file`, whose bytes go to the disk as they come.
  func createFile(_ call: HTTPCall) async throws -> Outcome {
    let boundary: String
    do { boundary = try MultipartHead.boundary(of: call.request.headers[.contentType]) } catch {
      throw APIError.malformed("\(error)")
    }
    let id = PublicID.make("file")
    let upload = try begin(id)
    let form = UploadedForm(boundary: boundary, to: upload, most: limits.uploadBytes)
    do {
      // What stands around the file's bytes is short.
      try await take(call, most: limits.uploadBytes + 1 << 16) { try form.read($0) }
      return try await keep(form, as: id, call.caller)
    } catch {
      files.remove(id)
      throw error
    }
  }

  /// POST /v1/vberts/import: the body is an archive, which goes to the disk as it comes.
  func importVBert(_ call: HTTPCall) async throws -> Outcome {
    let wish = try ImportQuery(call.query, call.caller)
    let id = PublicID.make("file")
    defer { files.remove(id) }
    let body = UploadedBody(try begin(id), most: limits.uploadBytes)
    try await take(call, most: limits.uploadBytes) { try body.read($0) }
    return try await importVBert(wish, files.path(of: id), call.caller) { try body.end() }
  }

  /// Hands out the body's bytes, on a thread that may wait. How long it takes is the peer's pace, which has a bound of its
  /// own (--body-rate).
  private func take(
    _ call: HTTPCall, most: Int, _ read: @escaping @Sendable ([UInt8]) throws -> Void
  ) async throws {
    let length = call.request.headers[.contentLength].map { Int($0) ?? .max }
    if let length, length > most { throw APIError.bodyTooLarge(most: limits.uploadBytes) }
    if call.request.headers[.expect] != nil { Expectation.peer?.goOn() }
    let arrival = call.caller.patiently
    var count = 0
    do {
      for try await part in call.request.body {
        count += part.readableBytes
        let bytes = Array(part.readableBytesView)
        try await disk {
          try await clerks.run(arrival, bytes: bytes.count) { _ in try read(bytes) }
        }
      }
    } catch is HTTPParserError {
      throw APIError.malformed(
        "its framing is broken (Content-Length, Transfer-Encoding or a chunk)")
    }
    // A connection that ends early looks like the body's end.
    if Task.isCancelled || count < length ?? 0 { throw ServingError.cancelled }
  }
}

extension Caller {
  /// For work that may take longer than a question.
  var patiently: Arrival {
    Arrival(tenant: tenant.id, weight: arrival.weight, deadline: .now + .seconds(3600))
  }
}

extension Response {
  init(_ stream: ByteStream, headers: HTTPFields) {
    var headers = headers
    headers[.contentType] = stream.type
    // A proxy that gathers an answer would hold back what is to be seen at once.
    if stream.length == nil { headers[.cacheControl] = "no-cache" }
    self.init(
      status: .ok, headers: headers,
      body: ResponseBody(contentLength: stream.length) { out in
        while let piece = try await stream.next() { try await out.write(ByteBuffer(bytes: piece)) }
        try await out.finish(nil)
      })
  }
}
