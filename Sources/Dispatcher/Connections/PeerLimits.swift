/// How long a peer may take, for what.
package struct PeerLimits: Sendable {
  /// From a request's first byte (of a new connection: from its opening) to the end of its head.
  package var head = Duration.seconds(10)
  /// Bytes a second of a body, over every `bodyWindow`.
  package var bodyRate = 1024
  package var bodyWindow = Duration.seconds(5)
  /// Without the peer taking anything of what is sent.
  package var write = Duration.seconds(10)
  /// Between two requests.
  package var idle = Duration.seconds(75)
  /// From the order to stop until everything that is still open is closed.
  package var drain = Duration.seconds(10)
  /// After an answer that came before the body's end: what is still sent is thrown away for so long
  /// and up to so many bytes, so that the peer can read the answer.
  package var linger = Duration.seconds(2)
  package var lingerBytes = 4 << 20

  package init() {}
}
