/// Why a vocabulary or a tokenizer.json cannot be used.
package enum WordPieceError: Error, Equatable, CustomStringConvertible {
  case empty
  case tooLarge(byteCount: Int, limit: Int)
  case invalidUTF8(id: Int)
  case emptyToken(id: Int)
  case duplicate(token: String, id: Int)
  case missing(token: String)
  /// No token has this id, though there are tokens with greater ones.
  case gap(id: Int)
  /// tokenizer.json or tokenizer_config.json is broken.
  case unreadable(String)
  /// tokenizer.json asks for another tokeniser than BERT's.
  case unsupported(String)

  package var description: String {
    switch self {
    case .empty:
      "the vocabulary is empty: it needs one token a line, the special ones among them"
    case .tooLarge(let byteCount, let limit):
      "the vocabulary has \(byteCount) bytes, and \(limit) is the most: is it the right file?"
    case .invalidUTF8(let id):
      "token \(id) (line \(id + 1)) of the vocabulary is not valid UTF-8: save it as UTF-8"
    case .emptyToken(let id):
      "token \(id) (line \(id + 1)) of the vocabulary is empty: every line is one token"
    case .duplicate(let token, let id):
      "token \(id) (line \(id + 1)) of the vocabulary, \"\(token)\", is there twice: remove one"
    case .missing(let token):
      "the vocabulary has no \(token), which this base needs: is it the right vocabulary?"
    case .gap(let id):
      "the vocabulary has no token with id \(id): ids must run from 0 without gaps"
    case .unreadable(let what): "the tokeniser's file cannot be read: \(what)"
    case .unsupported(let what):
      "the tokeniser's file asks for what BERT's tokeniser does not do: \(what)"
    }
  }
}
