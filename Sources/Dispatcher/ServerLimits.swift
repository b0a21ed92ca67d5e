/// What a request may ask for.
package struct ServerLimits: Sendable {
  /// Texts in one request.
  package var batch = 256
  package var bodyBytes = 4 << 20
  /// Seconds that a request may wait in the queue.
  package var seconds = 30.0
  /// Cut what is too long even where the request does not say so.
  package var autoTruncate = false

  package init() {}
}
