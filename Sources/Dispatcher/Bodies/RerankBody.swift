internal import Model

/// A query and the texts that it ranks, in one of two shapes that are told by their members: `texts` are Text Embeddings
/// Inference's, `documents` those of Cohere and all that follow it (Jina, Voyage, vLLM, infinity).
struct RerankBody: RequestBody {
  enum Shape: Sendable, Equatable {
    case tei
    case cohere
    /// Cohere's as infinity has it: nobody else says `raw_scores` beside `documents`.
    case infinity
  }

  static var dialect: Dialect { .rerank }
  static func dialect(of value: JSONValue) -> Dialect {
    value["documents"] != nil && value["texts"] == nil ? .ranking : .rerank
  }

  var vbertName: String?
  let shape: Shape
  let query: String
  let texts: [String]
  let reading: Reading
  /// The head's outputs instead of their sigmoids.
  let raw: Bool
  /// Each rank with its text.
  let returnsText: Bool
  /// So many of the best; nil for all.
  let most: Int?

  init(_ members: Members) throws(APIError) {
    vbertName = try members.vbertName()
    query = try members.need("query", "text") { $0.text }
    if let documents = members.find("documents") {
      texts = try Self.texts(documents)
      shape = members.find("raw_scores") == nil ? .cohere : .infinity
    } else {
      texts = try members.need("texts", "a list of texts") { $0.texts }
      shape = .tei
    }
    reading = try Reading(members)
    raw = try ScoreFunction.asked(members) == ScoreFunction.none
    let (text, document) = (
      try members.flag("return_text"), try members.flag("return_documents")
    )
    returnsText = text ?? document ?? false
    let counts = [try members.count("top_n"), try members.count("top_k")].compactMap { $0 }
    guard Set(counts).count <= 1 else { throw .contradiction("top_n", "top_k") }
    most = counts.first
  }

  /// Each is a text, or an object that holds one.
  private static func texts(_ documents: Dialect.Given) throws(APIError) -> [String] {
    guard let list = documents.value.list else {
      throw .invalid("a list of texts was expected", param: documents.path)
    }
    var texts: [String] = []
    texts.reserveCapacity(list.count)
    for (place, value) in list.enumerated() {
      guard let text = value.text ?? value["text"]?.text else {
        throw .invalid(
          "text, or an object with text, was expected", param: "\(documents.path)[\(place)]")
      }
      if let other = value.members?.first(where: { $0.name != "text" && $0.value.kind != .null }) {
        let name = clipped(other.name)
        throw .refused(
          "\(documents.path)[\(place)].\(name) is not read: give in text all that is to be ranked",
          param: "\(documents.path)[\(place)].\(name)")
      }
      texts.append(text)
    }
    return texts
  }
}
