internal import Foundation
internal import Model

/// The body of a request that changes what there is: every member is honoured, or refused by its name.
/// `null` is as if the member were not there.
protocol ManagementBody: Decodable, Sendable {
  associatedtype CodingKeys: CodingKey & CaseIterable
}

extension ManagementBody {
  /// Throws `APIError`. No body is one without members.
  init(json bytes: [UInt8]) throws(APIError) {
    let bytes = bytes.isEmpty ? Array("{}".utf8) : bytes
    do {
      let body = try JSONValue(bytes, deepest: JSONProblem.deepestBody)
      guard let members = body.members else {
        throw APIError.malformed("a JSON object was expected")
      }
      let known = CodingKeys.allCases.map(\.stringValue)
      for member in members where member.value.kind != .null && !known.contains(member.name) {
        let name = clipped(member.name)
        throw APIError.refused(
          "\(name) is no member here; there are: \(known.joined(separator: ", "))", param: name)
      }
      self = try decodeJSON(Self.self, from: bytes)
    } catch let error as APIError { throw error } catch let error as JSONProblem {
      throw error.ofBody
    } catch let error as DecodingError { throw .malformed(error.words) } catch {
      throw .malformed("\(error)")
    }
  }
}

extension Outcome {
  /// Members in snake case, times as whole seconds since 1970, as OpenAI writes them.
  init(encoding value: some Encodable) throws {
    self.init(text: try Self.text(of: value), type: "application/json")
  }

  /// The same as a text of one line.
  static func text(of value: some Encodable) throws -> String {
    let encoder = JSONEncoder()
    encoder.keyEncodingStrategy = .convertToSnakeCase
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    encoder.dateEncodingStrategy = .custom { date, encoder in
      var container = encoder.singleValueContainer()
      try container.encode(Int(date.timeIntervalSince1970))
    }
    return String(decoding: try encoder.encode(value), as: UTF8.self)
  }
}

/// A page of what there is, in OpenAI's shape.
struct Page<Item: Encodable>: Encodable {
  let object = "list"
  let data: [Item]
  let hasMore: Bool
}

/// What is left of something.
struct Deleted: Encodable {
  let id: String
  let object: String
  let deleted = true
}
