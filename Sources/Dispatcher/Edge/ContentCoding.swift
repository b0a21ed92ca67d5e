internal import HTTPTypes

/// How a body is packed.
enum ContentCoding: Sendable {
  case identity, gzip

  /// Throws `APIError.packed` for what is not read.
  init(_ headers: HTTPFields) throws(APIError) {
    // RFC 9110, 8.4.1.3: x-gzip is the same.
    switch headers[.contentEncoding]?.lowercased() {
    case nil, "identity": self = .identity
    case "gzip", "x-gzip": self = .gzip
    default: throw .packed(headers[.contentEncoding] ?? "")
    }
  }
}
