internal import HTTPTypes
internal import Hummingbird
internal import Manager
internal import Model
internal import NIOCore
internal import NIOHTTP1
internal import Scheduler

extension Dispatcher {
  /// The body, read as the route's. Throws `APIError`.
  func body<Body: RequestBody>(_ call: HTTPCall) async throws -> Body {
    let buffer = try await bytes(of: call)
    return try await work(call.caller, bytes: buffer.readableBytes) { _ in
      try Body(json: Array(buffer.readableBytesView))
    }
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
      do throws(RequestMemory.Full) { try call.caller.memory.add(part.readableBytes) } catch {
        throw APIError.memoryFull(tenant: error == .tenant)
      }
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
