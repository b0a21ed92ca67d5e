internal import Model

/// What a request may ask for.
package struct ServerLimits: Sendable {
  /// Texts in one request.
  package var batch = 2048
  /// Tokens of all texts of one request, as they are read: cut where they are cut.
  package var tokens = 1 << 20
  /// Bytes of a body, packed or not.
  package var bodyBytes = 32 << 20
  /// Bytes of all bodies together.
  package var bodyMemory = 128 << 20
  /// Of a file that is brought to learn from.
  package var uploadBytes = 512 << 20
  /// Bytes of a line of a batch: a request, and what stands around it.
  var batchLine: Int { bodyBytes + 1 << 16 }
  /// Tokens in one answer of /tokenize.
  package var tokenizeTokens = 1 << 18
  /// Words in one text of /tag.
  package var tagWords = TextEncoder.mostWords
  /// Seconds that a request may take until its last text is computed.
  package var seconds = 30.0
  /// Cut what is too long even where the request does not say so.
  package var autoTruncate = false
  /// Of pages that may read answers in a browser, or `*`.
  package var corsOrigins: [String] = []

  package init() {}
}
