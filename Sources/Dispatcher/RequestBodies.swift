/// Bodies as clients send them. Members that are not ours are let be, so that clients of richer
/// servers work unchanged.

/// One text or several: `"a"` or `["a", "b"]`.
struct Texts: Decodable {
  let texts: [String]
  /// One text on its own is answered without a list around it.
  let isSingle: Bool

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      (texts, isSingle) = ([text], true)
    } else {
      guard let list = try? container.decode([String].self) else {
        throw DecodingError.dataCorruptedError(
          in: container, debugDescription: "a text or a list of texts was expected")
      }
      (texts, isSingle) = (list, false)
    }
  }
}

/// What /predict takes: `"t"`, `["a", "b"]` (a pair), `[["t"], ["a", "b"]]` (several of these).
struct PredictInputs: Decodable {
  let items: [[String]]
  let isSingle: Bool

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      (items, isSingle) = ([[text]], true)
    } else if let pair = try? container.decode([String].self) {
      (items, isSingle) = (pair.isEmpty ? [] : [pair], true)
    } else if let list = try? container.decode([[String]].self) {
      (items, isSingle) = (list, false)
    } else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "a text, a pair [\"a\", \"b\"] or a list of such lists was expected")
    }
    guard items.allSatisfy({ 1...2 ~= $0.count }) else {
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "one text or a pair of two an item was expected")
    }
  }
}

/// What /tag takes: a text, a list of texts, or a list of lists of words.
struct TagInputs: Decodable {
  enum Item {
    case text(String)
    case words([String])
  }
  let items: [Item]
  let isSingle: Bool

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    if let text = try? container.decode(String.self) {
      (items, isSingle) = ([.text(text)], true)
    } else if let texts = try? container.decode([String].self) {
      (items, isSingle) = (texts.map(Item.text), false)
    } else if let words = try? container.decode([[String]].self) {
      (items, isSingle) = (words.map(Item.words), false)
    } else {
      throw DecodingError.dataCorruptedError(
        in: container,
        debugDescription: "a text, a list of texts or a list of lists of words was expected")
    }
  }
}

/// A word of a few; another is refused with those that there are.
protocol OneOf: RawRepresentable<String>, CaseIterable, Decodable {}

extension OneOf {
  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    guard let value = Self(rawValue: try container.decode(String.self)) else {
      let words = Self.allCases.map(\.rawValue).joined(separator: " or ")
      throw DecodingError.dataCorruptedError(
        in: container, debugDescription: "\(words) was expected")
    }
    self = value
  }
}

/// Who is asked: `adapter_id` or `model`, in any family.
protocol NamesModel {
  var model: String? { get }
  var adapter_id: String? { get }
}

extension NamesModel {
  var vbertName: String? { adapter_id ?? model }
}

struct EmbedBody: Decodable, NamesModel {
  var inputs: Texts
  var model: String?
  var adapter_id: String?
  var truncate: Bool?
  var normalize: Bool?
  var dimensions: Int?
}

struct PredictBody: Decodable, NamesModel {
  var inputs: PredictInputs
  var model: String?
  var adapter_id: String?
  var truncate: Bool?
  var raw_scores: Bool?
}

struct TagBody: Decodable, NamesModel {
  enum Aggregation: String, OneOf { case simple, none }
  var inputs: TagInputs
  var model: String?
  var adapter_id: String?
  var truncate: Bool?
  /// Hugging Face's word: `simple` for entities, `none` for every word.
  var aggregation_strategy: Aggregation?
}

struct TokenizeBody: Decodable, NamesModel {
  var inputs: Texts
  var model: String?
  var adapter_id: String?
  var add_special_tokens: Bool?
}

struct RerankBody: Decodable, NamesModel {
  var query: String
  var texts: [String]
  var model: String?
  var adapter_id: String?
  var truncate: Bool?
  var raw_scores: Bool?
  var return_text: Bool?
}

struct SimilarityBody: Decodable, NamesModel {
  struct Inputs: Decodable {
    var source_sentence: String
    var sentences: [String]
  }
  var inputs: Inputs
  var model: String?
  var adapter_id: String?
  var truncate: Bool?
}

struct EmbeddingsBody: Decodable, NamesModel {
  enum Format: String, OneOf { case float, base64 }
  var input: Texts
  var model: String?
  var adapter_id: String?
  var dimensions: Int?
  var encoding_format: Format?
  var truncate: Bool?
}

struct ClassifyBody: Decodable, NamesModel {
  var input: Texts
  var model: String?
  var adapter_id: String?
  var truncate: Bool?
}
