internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// `Expect: 100-continue`: the peer holds its body back until it is told to go on, which is when a route
/// begins to read it; whoever is refused before has sent nothing in vain.
enum Expectation {
  /// Tells the connection's peer to go on; nil where there is no connection (in tests of routes alone).
  @TaskLocal static var goOn: (@Sendable () -> Void)?

  static let token: String = "100-continue"
}

extension PeerGuard {
  /// Called on the connection's event loop.
  func goOn() {
    guard let parts, !isOver else { return }
    let head = HTTPResponse(status: .continue)
    parts.writeAndFlush(NIOAny(HTTPResponsePart.head(head)), promise: nil)
  }
}
