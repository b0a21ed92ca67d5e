internal import Model

/// Bodies of routes that read texts and have no labels.

struct EmbedBody: RequestBody {
  static var dialect: Dialect { .embed }
  var vbertName: String?
  let inputs: Texts
  let reading: Reading
  let normalize: Bool
  let dimensions: Dimensions?

  init(_ members: Members) throws(APIError) {
    vbertName = try members.vbertName()
    inputs = try members.need("inputs", Texts.expected, Texts.init)
    reading = try Reading(members)
    normalize = try members.flag("normalize") ?? true
    dimensions = try Dimensions(members)
  }
}

struct EmbeddingsBody: RequestBody {
  enum Format: String, OneOf { case float, base64 }
  static var dialect: Dialect { .embeddings }
  var vbertName: String?
  let input: Texts
  let reading: Reading
  let dimensions: Dimensions?
  let format: Format
  let normalize: Bool

  init(_ members: Members) throws(APIError) {
    vbertName = try members.vbertName()
    input = try members.input()
    reading = try Reading(members)
    dimensions = try Dimensions(members)
    format = try members.word("encoding_format") ?? .float
    normalize = try members.flag("normalize") ?? true
  }
}

struct SimilarityBody: RequestBody {
  static var dialect: Dialect { .similarity }
  var vbertName: String?
  let source: String
  let sentences: [String]
  let reading: Reading

  init(_ members: Members) throws(APIError) {
    vbertName = try members.vbertName()
    let inputs = try members.members(of: "inputs", ["source_sentence", "sentences"])
    source = try inputs.need("source_sentence", "text") { $0.text }
    sentences = try inputs.need("sentences", "a list of texts") { $0.texts }
    reading = try Reading(members)
  }
}

struct TokenizeBody: RequestBody {
  static var dialect: Dialect { .tokenize }
  var vbertName: String?
  let inputs: Texts
  let addsSpecialTokens: Bool

  init(_ members: Members) throws(APIError) {
    vbertName = try members.vbertName()
    inputs = try members.need("inputs", Texts.expected, Texts.init)
    addsSpecialTokens = try members.flag("add_special_tokens") ?? true
  }
}
