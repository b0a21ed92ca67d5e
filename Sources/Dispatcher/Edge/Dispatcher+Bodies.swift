internal import Files
internal import HTTPTypes
internal import Hummingbird
internal import Manager
internal import Model
internal import NIOCore
internal import NIOHTTP1
internal import Scheduler

extension Dispatcher {
  /// The body, read as the route's, of whoever the whole request asks. Throws `APIError`.
  func body<Body: RequestBody>(_ call: HTTPCall, at path: String) async throws -> Body {
    var body: Body = try await read(call) { try Body(json: $0, at: path) }
    body.vbertName = try call.vbertName(inBody: body.vbertName)
    return body
  }

  /// What `make` makes of the body's bytes, on a thread of its own where there are many. Throws `APIError`.
  func read<Body: Sendable>(
    _ call: HTTPCall, _ make: @escaping @Sendable ([UInt8]) throws -> Body
  ) async throws -> Body {
    let buffer = try await bytes(of: call)
    guard try ContentCoding(call.request.headers) == .gzip else {
      return try await work(call.caller, bytes: buffer.readableBytes) { _ in
        try make(Array(buffer.readableBytesView))
      }
    }
    let bytes = try await unpacked(buffer, call.caller)
    return try await work(call.caller, bytes: bytes.count) { _ in try make(bytes) }
  }

  /// On a thread of its own however small it is: a thousand times as much may be in it. Every byte that comes out is
  /// counted before it is kept, like one that arrives. Throws `APIError.bodyTooLarge`, `.memoryFull`, `.malformed`.
  private func unpacked(_ packed: ByteBuffer, _ caller: Caller) async throws -> [UInt8] {
    let most = limits.bodyBytes
    let foreseen = max(RequestMemory.free + 1, min(8 * packed.readableBytes, most))
    return try await work(caller, bytes: foreseen) { check in
      var count = 0
      do {
        return try Gzip.unpacked(Array(packed.readableBytesView)) { more in
          try check()
          count += more
          guard count <= most else { throw APIError.bodyTooLarge(most: most) }
          try caller.hold(more)
        }
      } catch let problem as Gzip.Problem {
        guard case .damaged(let why) = problem else { throw APIError.memoryFull(tenant: false) }
        throw APIError.malformed(why)
      }
    }
  }

  /// The same of a request that changes what there is. Throws `APIError`.
  func managementBody<Body: ManagementBody>(_ call: HTTPCall) async throws -> Body {
    try await read(call) { try Body(json: $0) }
  }

  /// The body's bytes, each counted as it arrives. Throws `APIError.bodyTooLarge`, `.memoryFull`.
  private func bytes(of call: HTTPCall) async throws -> ByteBuffer {
    let most = limits.bodyBytes
    // The parser lets digits alone through, also of numbers that are none here.
    let length = call.request.headers[.contentLength].map { Int($0) ?? .max }
    if let length, length > most { throw APIError.bodyTooLarge(most: most) }
    if call.request.headers[.expect] != nil { Expectation.peer?.goOn() }
    do { return try await collect(call, length: length) } catch is HTTPParserError {
      throw APIError.malformed(
        "its framing is broken (Content-Length, Transfer-Encoding or a chunk)")
    }
  }

  private func collect(_ call: HTTPCall, length: Int?) async throws -> ByteBuffer {
    let most = limits.bodyBytes
    var whole = ByteBuffer()
    for try await part in call.request.body {
      if .now >= call.caller.arrival.deadline { throw ServingError.timedOut }
      guard part.readableBytes <= most - whole.readableBytes else {
        throw APIError.bodyTooLarge(most: most)
      }
      try call.caller.hold(part.readableBytes)
      if whole.readableBytes == 0, part.readableBytes == length {
        whole = part
      } else {
        // Grown once: by doubling, many bodies at once leave as much memory behind as they hold.
        if let length, whole.readableBytes > 1 << 16 { whole.reserveCapacity(length) }
        whole.writeImmutableBuffer(part)
      }
    }
    // A connection that ends early looks like the body's end.
    if Task.isCancelled || whole.readableBytes < length ?? 0 {
      throw ServingError.cancelled
    }
    return whole
  }
}

extension Caller {
  /// Throws `APIError.memoryFull`.
  fileprivate func hold(_ bytes: Int) throws(APIError) {
    do throws(RequestMemory.Full) { try memory.add(bytes) } catch {
      throw .memoryFull(tenant: error == .tenant)
    }
  }
}
