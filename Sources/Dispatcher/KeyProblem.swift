/// What is wrong with a request's key. A key that was revoked is one that never was.
enum KeyProblem: Sendable {
  case missing
  /// The header is there, and holds no bearer's key.
  case otherScheme
  case unknown
  case expired
  /// Nobody has one: the home is open.
  case open

  var words: String {
    switch self {
    case .missing:
      "an API key is needed: send the header Authorization: Bearer vb_..., "
        + "with the key that vbert tenant create or vbert tenant key add printed"
    case .otherScheme:
      "the Authorization header is there, but is not of the form Bearer vb_...: "
        + "send the key that vbert tenant create printed"
    case .unknown:
      "this API key is not known here: it is misspelt, was revoked, or is another server's; "
        + "send the key that vbert tenant create printed"
    case .open:
      "this server is open: everybody may ask, and nobody change anything over HTTP. Make a key on its machine, "
        + "vbert tenant key add default ops --scope admin; from then on all requests need one"
    case .expired: "this API key has expired: ask for a new one (vbert tenant key add, or rotate)"
    }
  }
}
