internal import NIOHTTP1

/// What a request's head says of its connection.
struct ConnectionWish: Sendable, Equatable {
  /// The peer speaks HTTP/1.0.
  var isOld = false
  /// Nothing is read behind this request. Who asks to close may say so in any letters and among other
  /// options (RFC 9110, 7.6.1). And the parser reads nothing behind a request that would change the protocol
  /// (Upgrade, which is not taken up here, CONNECT): what is sent there would never be answered, so that
  /// the answer says that the connection ends.
  var isLast = false

  init() {}

  init(_ head: HTTPRequestHead) {
    isOld = head.version.major == 1 && head.version.minor == 0
    // The parser takes the one for the other.
    let options = ["connection", "proxy-connection"].flatMap {
      head.headers[canonicalForm: $0].map { $0.lowercased() }
    }
    isLast =
      isOld || options.contains("close") || head.method == .CONNECT
      || options.contains("upgrade") && head.headers.contains(name: "upgrade")
  }
}
