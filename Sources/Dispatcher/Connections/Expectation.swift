internal import HTTPTypes
internal import NIOCore
internal import NIOHTTPTypes

/// `Expect: 100-continue`: the peer holds its body back until it is told to go on, which is when a route
/// begins to read it; whoever is refused before has sent nothing in vain.
enum Expectation {
  /// The connection's peer, which can be told to go on; nil where there is no connection (in tests of
  /// routes alone). An object: a task-local value of function type crashes where the standard library is
  /// linked in (Swift 6.3, -O).
  @TaskLocal static var peer: Peer?

  final class Peer: Sendable {
    let goOn: @Sendable () -> Void

    init(_ goOn: @escaping @Sendable () -> Void) { self.goOn = goOn }
  }

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
