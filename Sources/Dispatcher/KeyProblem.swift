/// What is wrong with a request's key. A key that was revoked is one that never was.
enum KeyProblem: Sendable {
  case missing
  /// The header is there, and holds no bearer's key.
  case otherScheme
  case unknown

  var words: String {
    switch self {
    case .missing:
      "an API key is needed: send the header Authorization: Bearer vb_..., "
        + "with the key that vbert tenant create printed"
    case .otherScheme:
      "the Authorization header is there, but is not of the form Bearer vb_...: "
        + "send the key that vbert tenant create printed"
    case .unknown:
      "this API key is not known here: it is misspelt, was revoked, or is another server's; "
        + "send the key that vbert tenant create printed"
    }
  }
}
