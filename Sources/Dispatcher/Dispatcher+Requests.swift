internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Manager
internal import NIOCore

extension Dispatcher {
  /// Who asks. While no tenant has a key the server is open, to `default`'s vBERTs; from the first
  /// key on every request needs one, and sees its tenant's vBERTs only.
  func authenticate(_ headers: HTTPFields) throws -> TenantRecord {
    guard try registry.hasKeys() else { return openTenant }
    guard let header = headers[.authorization] else { throw APIError.unauthorized }
    let parts = header.split(separator: " ", maxSplits: 1)
    guard parts.count == 2, parts[0].lowercased() == "bearer",
      let tenant = try registry.tenant(forKey: String(parts[1]))
    else { throw APIError.unauthorized }
    return tenant
  }

  /// The body as JSON of this type. Throws `APIError`.
  func body<Body: Decodable>(_ call: Call, as type: Body.Type) async throws -> Body {
    if let length = call.request.headers[.contentLength].flatMap({ Int($0) }),
      length > limits.bodyBytes
    {
      throw APIError.bodyTooLarge(most: limits.bodyBytes)
    }
    let buffer: ByteBuffer
    do {
      buffer = try await call.request.body.collect(upTo: limits.bodyBytes)
    } catch is NIOTooManyBytesError {
      throw APIError.bodyTooLarge(most: limits.bodyBytes)
    }
    if let plain = type as? any ReadsPlainBody.Type,
      let members = PlainBody(buffer.readableBytesUInt8Span),
      let body = plain.init(members) as? Body
    {
      return body
    }
    do {
      return try JSONDecoder().decode(type, from: Data(buffer.readableBytesView))
    } catch let error as DecodingError {
      throw APIError(decoding: error)
    } catch {
      throw APIError.malformed("it is not JSON")
    }
  }
}

extension APIError {
  fileprivate init(decoding error: DecodingError) {
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
      self = .malformed("it is not JSON")
    case .typeMismatch(_, let context), .valueNotFound(_, let context),
      .dataCorrupted(let context):
      self = .invalid(String(context.debugDescription.prefix(200)), param: path(context))
    @unknown default: self = .malformed("it cannot be read")
    }
  }
}
