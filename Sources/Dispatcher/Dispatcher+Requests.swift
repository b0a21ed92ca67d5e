internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Manager
internal import Model
internal import NIOCore
internal import NIOHTTP1
internal import Scheduler

extension Dispatcher {
  /// Who asks. An open home serves `default`'s vBERTs to everybody; in a closed one, which it is from
  /// its first key on, every request needs a key, and sees its tenant's vBERTs only.
  func authenticate(_ headers: HTTPFields) throws -> TenantRecord {
    guard try registry.isClosed() else { return openTenant }
    guard let header = headers[.authorization] else { throw APIError.unauthorized }
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer",
      let tenant = try registry.tenant(forKey: String(parts[1]))
    else { throw APIError.unauthorized }
    return tenant
  }

  /// The body as JSON of this type. Throws `APIError`.
  func body<Body: Decodable & Sendable>(
    _ call: Call, as type: Body.Type
  ) async throws -> Body {
    let buffer = try await bytes(of: call)
    return try await work(call, bytes: buffer.readableBytes) { _ in
      try Self.decode(buffer, as: type)
    }
  }

  /// The body's bytes, each counted as it arrives. Throws `APIError.bodyTooLarge`, `.memoryFull`.
  private func bytes(of call: Call) async throws -> ByteBuffer {
    let most = limits.bodyBytes
    let length = call.request.headers[.contentLength].flatMap { Int($0) }
    if let length, length > most { throw APIError.bodyTooLarge(most: most) }
    if call.request.headers[.expect] != nil { Expectation.goOn?() }
    do { return try await collect(call, length: length) } catch is HTTPParserError {
      throw APIError.malformed(
        "its framing is broken (Content-Length, Transfer-Encoding or a chunk)")
    }
  }

  private func collect(_ call: Call, length: Int?) async throws -> ByteBuffer {
    let most = limits.bodyBytes
    var whole = ByteBuffer()
    for try await part in call.request.body {
      if .now >= call.arrival.deadline { throw ServingError.timedOut }
      guard part.readableBytes <= most - whole.readableBytes else {
        throw APIError.bodyTooLarge(most: most)
      }
      do throws(RequestMemory.Full) { try call.memory.add(part.readableBytes) } catch {
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
    if _Concurrency.Task.isCancelled || whole.readableBytes < length ?? 0 {
      throw ServingError.cancelled
    }
    return whole
  }

  private static func decode<Body: Decodable>(
    _ buffer: ByteBuffer, as type: Body.Type
  ) throws -> Body {
    if let plain = type as? any ReadsPlainBody.Type,
      let members = PlainBody(buffer.readableBytesUInt8Span),
      let body = plain.init(members) as? Body
    {
      return body
    }
    do {
      return try JSONDecoder().decode(type, from: Data(buffer.readableBytesView))
    } catch let error as DecodingError {
      let data = Data(buffer.readableBytesView)
      throw APIError(decoding: error) {
        (try? JSONSerialization.jsonObject(with: data, options: .fragmentsAllowed)) != nil
      }
    } catch {
      throw APIError.malformed("it is not JSON")
    }
  }
}

extension APIError {
  /// In no decoder's words. `isJSON` is asked where the decoder tells a number that does not fit as it tells
  /// broken text.
  fileprivate init(decoding error: DecodingError, isJSON: () -> Bool) {
    func path(_ context: DecodingError.Context) -> String {
      context.codingPath.map { $0.intValue.map { "[\($0)]" } ?? $0.stringValue }
        .joined(separator: ".")
    }
    switch error {
    case .keyNotFound(let key, _): self = .invalid("it is missing", param: key.stringValue)
    case .typeMismatch(_, let context) where context.codingPath.isEmpty,
      .valueNotFound(_, let context) where context.codingPath.isEmpty:
      self = .malformed("a JSON object was expected")
    case .dataCorrupted(let context) where context.codingPath.isEmpty:
      self = .malformed(
        isJSON()
          ? "a number in it is too large, or a fraction where a whole number belongs"
          : "it is not JSON")
    case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
      self = .invalid("\(DecodingError.kind(type)) was expected", param: path(context))
    case .dataCorrupted(let context):
      // Our own words, or the decoder's of a number.
      let isOurs = context.debugDescription.hasSuffix("expected")
      self = .invalid(
        isOurs ? context.debugDescription : "the value is not possible here", param: path(context))
    @unknown default: self = .malformed("it cannot be read")
    }
  }
}
