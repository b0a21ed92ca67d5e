internal import Model

/// How a request wants its texts read.
struct Reading: Sendable, Equatable {
  /// Text Embeddings Inference's words for the side where a text is cut; vLLM writes them small.
  enum Side: String, OneOf {
    case leftWord = "Left"
    case rightWord = "Right"
    case left, right

    var side: TruncationSide {
      switch self {
      case .leftWord, .left: .left
      case .rightWord, .right: .right
      }
    }
  }

  /// Whether too long texts are cut; nil where the server decides.
  var truncate: Bool?
  /// Where they are cut.
  var side = TruncationSide.right
  /// So many tokens are read at most, special tokens included; `all` for as many as the vBERT takes.
  var tokens: Int?
  /// Without special tokens a text is read as it stands.
  var addsSpecialTokens = true
  /// How the request said `tokens`.
  private var tokensPath = ""

  static let all = -1

  init() {}

  /// Throws `APIError` where members contradict each other.
  init(_ members: Members) throws(APIError) {
    truncate = try members.flag("truncate")
    // Voyage's word, and Hugging Face's tokenizers'.
    if let truncation = try members.flag("truncation") {
      guard truncate ?? truncation == truncation else {
        throw .contradiction("truncate", "truncation")
      }
      truncate = truncation
    }
    let sides = try [
      members.word("truncation_direction", as: Side.self),
      members.word("truncation_side", as: Side.self),
    ].compactMap { $0?.side }
    guard Set(sides).count <= 1 else {
      throw .contradiction("truncation_direction", "truncation_side")
    }
    addsSpecialTokens = try members.flag("add_special_tokens") ?? true
    tokens = try members.wholeNumber("truncate_prompt_tokens")
    // vLLM's word: the last tokens are kept.
    side = sides.first ?? (tokens == nil ? .right : .left)
    guard let tokens, let path = members.find("truncate_prompt_tokens")?.path else { return }
    tokensPath = path
    guard tokens > 0 || tokens == Self.all else {
      throw .invalid("1 or more tokens were expected, or -1 for all that fit", param: path)
    }
    if truncate == false { throw .contradiction("truncate", "truncate_prompt_tokens") }
    truncate = true
  }

  /// Most tokens of a sequence, `added` special ones among them, of a vBERT that takes `most`. Throws
  /// `APIError.invalid`.
  func maxLength(most: Int, added: Int) throws(APIError) -> Int {
    guard let tokens, tokens != Self.all else { return most }
    guard tokens <= most else {
      throw .invalid("\(tokens) tokens are more than this vBERT takes: \(most)", param: tokensPath)
    }
    guard tokens > added else {
      throw .invalid(
        "\(tokens) leaves no token of a text beside \(added) special ones", param: tokensPath)
    }
    return tokens
  }
}
