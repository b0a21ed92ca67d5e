internal import Model

/// What a request may ask for.
package struct ServerLimits: Sendable {
  /// Texts in one request.
  package var batch = 256
  package var bodyBytes = 4 << 20
  /// Bytes of all bodies together.
  package var bodyMemory = 128 << 20
  /// Tokens in one answer of /tokenize.
  package var tokenizeTokens = 1 << 18
  /// Words in one text of /tag.
  package var tagWords = TextEncoder.mostWords
  /// Seconds that a request may take until its last text is computed.
  package var seconds = 30.0
  /// Cut what is too long even where the request does not say so.
  package var autoTruncate = false

  package init() {}
}
