internal import Foundation

/// A label and how sure a vBERT is of it.
public struct LabelScore: Codable, Sendable, Equatable {
  /// As its vBERT learnt it.
  public let label: String
  /// A classifier's probability, or what a scorer says.
  public let score: Double
}

/// An entity in a text: its type, and from where to where, in code points.
public struct Entity: Codable, Sendable, Equatable {
  /// Such as PER.
  public let type: String
  /// Between 0 and 1, the mean of its words'.
  public let score: Double
  /// Its words, as the text has them.
  public let word: String
  /// Of its first character, from 0.
  public let start: Int
  /// Behind its last character.
  public let end: Int

  enum CodingKeys: String, CodingKey {
    case type = "entity_group"
    case score, word, start, end
  }
}

/// A text's place among those that were ranked.
public struct Rank: Codable, Sendable, Equatable {
  /// Among the texts as they were given, from 0.
  public let index: Int
  /// The scorer's own unit; more is better.
  public let score: Double
}

extension VBERTClient {
  private struct Asked<Inputs: Encodable>: Encodable {
    var model: String
    var inputs: Inputs
    var truncate: Bool?
  }

  /// The labels of each text, the best first. `truncate`: cut what is too long, which is refused otherwise.
  public func predict(
    _ model: String, _ texts: [String], truncate: Bool = false
  ) async throws -> [[LabelScore]] {
    try await predict(model, items: texts.map { [$0] }, truncate)
  }

  /// The labels of each pair of texts.
  public func predict(
    _ model: String, pairs: [(String, String)], truncate: Bool = false
  ) async throws -> [[LabelScore]] {
    try await predict(model, items: pairs.map { [$0.0, $0.1] }, truncate)
  }

  private func predict(
    _ model: String, items: [[String]], _ truncate: Bool
  ) async throws -> [[LabelScore]] {
    try await post("/predict", Asked(model: model, inputs: items, truncate: truncate))
  }

  /// A vector of unit length for each text.
  public func embed(
    _ model: String, _ texts: [String], truncate: Bool = false
  ) async throws -> [[Float]] {
    try await post("/embed", Asked(model: model, inputs: texts, truncate: truncate))
  }

  /// The entities of each text, in their order.
  public func tag(
    _ model: String, _ texts: [String], truncate: Bool = false
  ) async throws -> [[Entity]] {
    try await post("/tag", Asked(model: model, inputs: texts, truncate: truncate))
  }

  /// The texts in the order of what a scorer says of (query, text), the best first.
  public func rerank(
    _ model: String, query: String, _ texts: [String], truncate: Bool = false
  ) async throws -> [Rank] {
    struct Body: Encodable {
      let model: String
      let query: String
      let texts: [String]
      let truncate: Bool
    }
    return try await post(
      "/rerank", Body(model: model, query: query, texts: texts, truncate: truncate))
  }
}
