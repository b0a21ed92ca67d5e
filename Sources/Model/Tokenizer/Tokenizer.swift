/// How a base's text becomes token ids. Immutable, so that one value serves all threads.
package protocol Tokenizer: Sendable {
  var special: SpecialTokens { get }
  /// Ids are below it.
  var vocabularySize: Int { get }
  /// The id of the token that opens a sequence.
  var classification: Int32 { get }
  /// The id of the one that closes each text.
  var separator: Int32 { get }

  /// The token's text; nil where there is no such id.
  func token(_ id: Int32) -> String?
  /// The id of a token given by its text; nil where the vocabulary lacks it.
  func id(of token: String) -> Int32?

  /// Tokens of a text or a pair, framed by special tokens if they are asked for.
  ///
  /// `maxLength` counts the added tokens too; a smaller one than these acts as their number. Too
  /// long input is cut at its end, the longer of a pair first.
  func encode(_ text: String, pair: String?, maxLength: Int?, addSpecialTokens: Bool) -> Encoding
  /// Tokens of words that are given apart (tagging): each word is split on its own, `spans` lie in
  /// the word, `words` says which word. A word can have no token at all.
  func encode(words: [String], maxLength: Int?) -> Encoding
}

extension Tokenizer {
  package func encode(_ text: String, pair: String? = nil, maxLength: Int? = nil) -> Encoding {
    encode(text, pair: pair, maxLength: maxLength, addSpecialTokens: true)
  }

  package func encode(_ text: String, pair: String? = nil, addSpecialTokens: Bool) -> Encoding {
    encode(text, pair: pair, maxLength: nil, addSpecialTokens: addSpecialTokens)
  }

  package func encode(words: [String]) -> Encoding { encode(words: words, maxLength: nil) }
}
