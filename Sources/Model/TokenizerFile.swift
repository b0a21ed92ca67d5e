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
    var type: String
    var single: [Piece]?
    var pair: [Piece]?
  }

  var added_tokens: [AddedToken]?
  var normalizer: Normalizer?
  var pre_tokenizer: Kind?
  var post_processor: PostProcessor?
  var model: Model

  init(json: [UInt8]) throws(WordPieceError) {
    do { self = try JSONDecoder().decode(TokenizerFile.self, from: Data(json)) } catch {
      throw .unreadable("tokenizer.json: \(error)")
    }
  }

  /// The normaliser's settings; throws `unsupported` where the file is not a BERT tokeniser.
  func options() throws(WordPieceError) -> BasicNormalizer.Options {
    try require(normalizer?.type, "BertNormalizer", "the normalizer")
    try require(normalizer?.clean_text ?? true, true, "clean_text")
    try require(pre_tokenizer?.type, "BertPreTokenizer", "the pre_tokenizer")
    try require(model.type ?? "WordPiece", "WordPiece", "the model")
    try require(model.unk_token ?? "[UNK]", "[UNK]", "unk_token")
    try require(model.continuing_subword_prefix ?? "##", "##", "continuing_subword_prefix")
    try require(
      model.max_input_chars_per_word ?? PieceWriter.maxCharacters, PieceWriter.maxCharacters,
      "max_input_chars_per_word")
    if post_processor?.type != "BertProcessing" {
      try require(post_processor?.type, "TemplateProcessing", "the post_processor")
      try require(post_processor?.single?.description, "[[CLS]:0, A:0, [SEP]:0]", "its single")
      try require(
        post_processor?.pair?.description, "[[CLS]:0, A:0, [SEP]:0, B:1, [SEP]:1]", "its pair")
    }
    for token in added_tokens ?? [] {
      for (flag, value) in [
        ("single_word", token.single_word), ("lstrip", token.lstrip), ("rstrip", token.rstrip),
        ("normalized", token.normalized),
      ] where value == true {
        throw .unsupported("the added token \"\(token.content)\" has \(flag) true")
      }
    }
    let lowercase = normalizer?.lowercase ?? true
    return BasicNormalizer.Options(
      lowercase: lowercase, stripAccents: normalizer?.strip_accents ?? lowercase,
      spacesIdeographs: normalizer?.handle_chinese_chars ?? true)
  }

  private func require<Value: Equatable>(
    _ value: Value?, _ expected: Value, _ name: String
  ) throws(WordPieceError) {
    guard value != expected else { return }
    let found = value.map { "\($0)" } ?? "missing"
    throw .unsupported("\(name) is \(found), not \(expected)")
  }
}
