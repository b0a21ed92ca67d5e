internal import Foundation

/// tokenizer.json without its vocabulary, which `JSONDecoder` would merge: its keys are Strings, and
/// canonically equivalent tokens are different tokens.
struct TokenizerFile: Decodable {
  struct Kind: Decodable { var type: String }

  struct Normalizer: Decodable {
    var type: String
    var clean_text: Bool?
    var handle_chinese_chars: Bool?
    var strip_accents: Bool?
    var lowercase: Bool?
  }

  struct Model: Decodable {
    var type: String?
    var unk_token: String?
    var continuing_subword_prefix: String?
    var max_input_chars_per_word: Int?
  }

  struct AddedToken: Decodable {
    var id: Int
    var content: String
    var single_word: Bool?
    var lstrip: Bool?
    var rstrip: Bool?
    var normalized: Bool?
  }

  struct PostProcessor: Decodable {
    struct Piece: Decodable, CustomStringConvertible {
      struct Reference: Decodable {
        var id: String
        var type_id: Int
      }
      var SpecialToken: Reference?
      var Sequence: Reference?

      var description: String {
        (SpecialToken ?? Sequence).map { "\($0.id):\($0.type_id)" } ?? "?"
      }
    }
    /// Of BertProcessing and RobertaProcessing: a token and its id.
    struct Framing: Decodable {
      let token: String

      init(from decoder: any Decoder) throws {
        var pair = try decoder.unkeyedContainer()
        token = try pair.decode(String.self)
      }
    }
    var type: String
    var single: [Piece]?
    var pair: [Piece]?
    var sep: Framing?
    var cls: Framing?
    var trim_offsets: Bool?
  }

  var added_tokens: [AddedToken]?
  var normalizer: Normalizer?
  var pre_tokenizer: Kind?
  var post_processor: PostProcessor?
  var model: Model

  init(json: [UInt8]) throws(WordPieceError) {
    do { self = try JSONDecoder().decode(TokenizerFile.self, from: Data(json)) } catch {
      throw .unreadable("tokenizer.json: \(words(error))")
    }
  }

  /// The normaliser's settings; throws `unsupported` where the file is not a tokeniser like BERT's
  /// that frames texts by `special`.
  func options(_ special: SpecialTokens) throws(WordPieceError) -> BasicNormalizer.Options {
    try require(normalizer?.type, "BertNormalizer", "the normalizer")
    try require(normalizer?.clean_text ?? true, true, "clean_text")
    try require(pre_tokenizer?.type, "BertPreTokenizer", "the pre_tokenizer")
    try require(model.type ?? "WordPiece", "WordPiece", "the model")
    try require(model.unk_token ?? special.unknown, special.unknown, "unk_token")
    try require(model.continuing_subword_prefix ?? "##", "##", "continuing_subword_prefix")
    try require(
      model.max_input_chars_per_word ?? PieceWriter.maxCharacters, PieceWriter.maxCharacters,
      "max_input_chars_per_word")
    try checkFraming(special)
    for token in added_tokens ?? [] { try check(token) }
    let lowercase = normalizer?.lowercase ?? true
    return BasicNormalizer.Options(
      lowercase: lowercase, stripAccents: normalizer?.strip_accents ?? lowercase,
      spacesIdeographs: normalizer?.handle_chinese_chars ?? true)
  }

  /// Where the texts' special tokens stand.
  private func checkFraming(_ special: SpecialTokens) throws(WordPieceError) {
    let (open, close) = (special.classification, special.separator)
    // RoBERTa's, which closes the first text of a pair twice.
    let fixed = special.pairSeparators == 2 ? "RobertaProcessing" : "BertProcessing"
    if post_processor?.type == fixed {
      try require(post_processor?.cls?.token ?? open, open, "the post_processor's cls")
      return try require(post_processor?.sep?.token ?? close, close, "the post_processor's sep")
    }
    try require(post_processor?.type, "TemplateProcessing", "the post_processor")
    try require(
      post_processor?.single?.description, "[\(open):0, A:0, \(close):0]", "its single")
    let more = repeatElement("\(close):0, ", count: special.pairSeparators - 1).joined()
    func pair(_ segment: Int) -> String {
      "[\(open):0, A:0, \(close):0, \(more)B:\(segment), \(close):\(segment)]"
    }
    // Without segments it says nothing how they are numbered.
    if !special.numbersSegments, post_processor?.pair?.description == pair(0) { return }
    try require(post_processor?.pair?.description, pair(1), "its pair")
  }

  private func check(_ token: AddedToken) throws(WordPieceError) {
    // What is taken in of the space beside a token is trimmed off again, and changes nothing else.
    let trims = post_processor?.type == "RobertaProcessing" && post_processor?.trim_offsets == true
    let letters = token.content.utf8.count { (0x61...0x7A).contains($0 | 0x20) }
    let isShort =
      token.content.utf8.allSatisfy { $0 < 0x80 } && letters <= WordPiece.mostAnyCaseLetters
    for (flag, value) in [
      ("single_word", token.single_word), ("lstrip", trims ? false : token.lstrip),
      ("rstrip", trims ? false : token.rstrip),
      ("normalized", isShort ? false : token.normalized),
    ] where value == true {
      throw .unsupported("the added token \"\(token.content)\" has \(flag) true")
    }
  }

  private func require<Value: Equatable>(
    _ value: Value?, _ expected: Value, _ name: String
  ) throws(WordPieceError) {
    guard value != expected else { return }
    let found = value.map { "\($0)" } ?? "missing"
    throw .unsupported("\(name) is \(found), not \(expected)")
  }
}
