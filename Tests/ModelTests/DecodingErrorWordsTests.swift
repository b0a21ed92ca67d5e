import Foundation
import Testing

@testable import Model

/// Whoever wrote a JSON file reads which field is wrong and what belongs there.
@Suite struct DecodingErrorWordsTests {
  private struct File: Decodable {
    struct Part: Decodable {
      var id: Int
      var name: String
      var share: Double?
      var on: Bool?
    }
    var parts: [Part]
  }

  private func said(_ json: String) throws -> String {
    let error = #expect(throws: DecodingError.self) {
      try JSONDecoder().decode(File.self, from: Data(json.utf8))
    }
    return words(try #require(error))
  }

  @Test func namesTheFieldAndWhatBelongsThere() throws {
    #expect(try said("{}") == "the field \"parts\" is missing")
    #expect(try said("{\"parts\": 3}") == "the field \"parts\" is not a list")
    #expect(try said("{\"parts\": [3]}") == "the field \"parts[0]\" is not an object")
    #expect(try said("[]") == "it is not an object")
    #expect(try said("null") == "it is not an object")
    #expect(try said("{\"parts\": [{\"id\": 1}]}") == "the field \"parts[0].name\" is missing")
    let first = "{\"parts\": [{\"id\": 1, \"name\": \"a\"}, "
    for (member, expected) in [
      ("\"id\": \"1\"", "\"parts[1].id\" is not a whole number"),
      ("\"id\": null", "\"parts[1].id\" is not a whole number"),
      ("\"id\": 1, \"name\": 7", "\"parts[1].name\" is not text"),
      ("\"id\": 1, \"name\": \"b\", \"share\": \"x\"", "\"parts[1].share\" is not a number"),
      ("\"id\": 1, \"name\": \"b\", \"on\": 1", "\"parts[1].on\" is not true or false"),
    ] {
      #expect(try said(first + "{\(member)}]}") == "the field \(expected)")
    }
  }

  /// The decoder alone tells them alike, without a place; `decodeJSON` tells which it is.
  @Test func saysWhetherItIsNoJSONOrANumberThatIsNone() throws {
    let fraction = "{\"parts\": [{\"id\": 1.5, \"name\": \"a\"}]}"
    #expect(try said(fraction).hasPrefix("a number in it is too large"))
    func strictly(_ json: String) throws -> String {
      let error = #expect(throws: JSONProblem.self) {
        try decodeJSON(File.self, from: Array(json.utf8))
      }
      return words(try #require(error))
    }
    #expect(
      try strictly(fraction)
        == "the number 1.5 (column 19) is a fraction, where a whole number belongs")
    for json in ["", "{", "\u{FF}", "{\"parts\": [],}"] {
      #expect(try strictly(json).hasPrefix("it is not valid JSON: "), "\(json)")
    }
  }
}
