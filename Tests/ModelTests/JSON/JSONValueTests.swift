import Foundation
import TestSupport
import Testing

@testable import Model

@Suite struct JSONValueTests {
  private func read(_ text: String) throws -> JSONValue { try JSONValue(Array(text.utf8)) }

  private func problem(_ text: String) -> String {
    let error = #expect(throws: JSONProblem.self) { try read(text) }
    return error?.description ?? ""
  }

  @Test func readsWhatIsJSON() throws {
    let value = try read(
      "\u{FEFF} {\"a\": [1, -2.5e3, true, false, null, \"x\\n\\u00e9\"], \"b\": {}, \"c\": []}\r\n")
    #expect(value.members?.map(\.name) == ["a", "b", "c"])
    let list = try #require(value["a"]?.list)
    #expect(list.map(\.kind) == [.number, .number, .flag, .flag, .null, .text])
    #expect(list.map(\.number) == ["1", "-2.5e3", nil, nil, nil, nil])
    #expect(list.map(\.flag) == [nil, nil, true, false, nil, nil])
    #expect(list.map(\.text) == [nil, nil, nil, nil, nil, "x\n\u{E9}"])
    #expect(value["b"]?.members?.isEmpty == true && value["b"]?.list == nil)
    #expect(value["c"]?.list?.isEmpty == true && value["c"]?.members == nil)
    #expect(value["b"]?.isEmpty == true && value["c"]?.isEmpty == true)
    #expect(value["a"]?.isEmpty == false && value.isEmpty == false && list[0].isEmpty == false)
    #expect(value["d"] == nil && list[0]["a"] == nil)
    #expect(try read("{\"a\": null}")["a"] == nil, "null is as if it were not there")
    #expect(try read("0").number == "0" && read("\"\"").text == "")
  }

  @Test func membersAreFoundByTheBytesOfTheirNames() throws {
    let value = try read(#"{"\u0061\n": 1, "e\u0301": 2, "\u00e9": 3, "": 4, "x": {"": 5}}"#)
    #expect(value["a\n"]?.whole == 1 && value["e\u{301}"]?.whole == 2)
    #expect(value["\u{E9}"]?.whole == 3 && value[""]?.whole == 4 && value["x"]?[""]?.whole == 5)
    #expect(value["a"] == nil && value["a\\n"] == nil)
  }

  @Test func listsOfTexts() throws {
    #expect(try read(#"["a", "\n"]"#).texts == ["a", "\n"] && read("[]").texts == [])
    #expect(try read(#"[["a"], []]"#).textLists == [["a"], []])
    let odd = try read(#"["a", [1, 2], {"b": [3]}, 4]"#).first { $0.kind == .object }
    #expect(odd?.place == 2 && odd?.value["b"]?.texts == nil && odd?.value["b"]?.list?.count == 1)
    #expect(
      try read("[1]").first { $0.kind == .text } == nil && read("3").first { _ in true } == nil)
    #expect(try read(#"["a", null]"#).texts == nil && read(#"[["a"], "b"]"#).textLists == nil)
    #expect(try read(#""a""#).texts == nil && read(#"{"a": "b"}"#).texts == nil)
  }

  @Test func numbersAreWholeHoweverTheyAreWritten() throws {
    for text in ["512", "512.0", "5.12e2", "51200E-2"] { #expect(try read(text).whole == 512) }
    for (text, value) in [
      ("3", 3), ("3.0", 3), ("3e2", 300), ("-7", -7), ("0", 0), ("-0", 0), ("0e9999999999999", 0),
      ("9223372036854775807", Int.max), ("-9223372036854775808", Int.min),
      // Beyond what floating point tells.
      ("9007199254740993.0", 9_007_199_254_740_993), ("900719925474099.3e1", 9_007_199_254_740_993),
    ] {
      #expect(try read(text).whole == value, "\(text)")
    }
    for text in [
      "512.5", "1e400", "\"512\"", "null", "true", "3.00000000000000000001", "1e-1", "[3]",
      "99999999999999999999", "9223372036854775808", "1e999999999999999999999999",
      "1e-999999999999999999999999",
    ] {
      #expect(try read(text).whole == nil, "\(text)")
    }
    #expect(try read("1e400").double == nil && read("-0.5").double == -0.5)
  }

  @Test func aMemberTwiceIsNamedWithItsPlace() {
    #expect(
      problem("{\n  \"a\": 1,\n  \"b\": {\"c\": 1, \"c\": 2}}")
        == "the member \"c\" is there twice in one object (again at line 3, column 17); keep one")
    #expect(problem("{\"a\": 1, \"\\u0061\": 2}").contains("\"a\" is there twice"))
    #expect(throws: Never.self) { try read("{\"a\": {\"a\": {\"a\": 1}}, \"b\": {\"a\": 2}}") }
    // Canonically equivalent names are different names, as tokens are.
    #expect(throws: Never.self) { try read("{\"\u{E9}\": 1, \"e\u{301}\": 2}") }
  }

  @Test func whatIsNotJSONIsSaidWithItsPlace() {
    for (text, said) in [
      ("", "it is empty"), (" \n", "it is empty"), ("{\"a\": 1,}", "expected '\"' at column 9"),
      ("[1,]", "expected a value at column 4"), ("{\"a\" 1}", "expected ':' at column 6"),
      ("{\n\"a\": 1\n\"b\": 2}", "expected ',' or '}' at line 3, column 1"),
      ("{'a': 1}", "expected '\"' at column 2"), ("[01]", "must not begin with 0"),
      ("[1.]", "expected a digit behind the point"), ("[1e]", "in the exponent"),
      ("[NaN]", "expected a value at column 2"), ("[-Infinity]", "expected a value"),
      ("[1] 2", "more behind the end at column 5"), ("[1", "it ends too early at column 3"),
      ("{\"a\":", "it ends too early"), ("[\"a", "the string does not end"),
      ("[tru]", "expected a value"), ("// c\n{}", "expected a value at column 1"),
      ("\u{FEFF}[1,]", "expected a value at column 4"), ("[\n\n  1 2]", "at line 3, column 5"),
      ("[\"\\ud800\"]", "unpaired surrogate"), ("[\"\u{1}\"]", "control character"),
    ] {
      let found = problem(text)
      #expect(
        found.hasPrefix("it is not valid JSON: ") && found.contains(said), "\(text): \(found)")
    }
  }

  @Test func nestingIsBounded() {
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(throws: Never.self) { try read(nested(JSONValue.deepest)) }
    #expect(problem(nested(JSONValue.deepest + 1)).contains("nested more than 64 deep"))
    #expect(problem(String(repeating: "{\"a\":", count: 1_000_000)).contains("nested more than 64"))
  }

  @Test func wholeNumbersAreToldDigitByDigit() {
    for (text, digits) in [
      ("0", "0"), ("-0.00", "0"), ("-7", "-7"), ("30", "30"), ("3e1", "30"), ("0.5E+2", "50"),
      ("120.0e-1", "12"), ("123456789012345678901234567890", "123456789012345678901234567890"),
      ("-9007199254740993.000", "-9007199254740993"),
      ("1e37", "1" + String(repeating: "0", count: 37)),
    ] {
      #expect(WholeNumber(text) == .digits(digits), "\(text)")
    }
    for text in [
      "0.5", "-1e-1", "1.00000000000000000000000001", "12345e-2", "1e-99999999999999999999",
    ] {
      #expect(WholeNumber(text) == .fraction, "\(text)")
    }
    for text in ["1e38", "-1e400", "1e99999999999999999999", String(repeating: "7", count: 39)] {
      #expect(WholeNumber(text) == .tooLong, "\(text)")
    }
  }

  @Test func valuesAreShownShort() throws {
    for (text, shown) in [
      ("null", "null"), ("false", "false"), ("-1.50", "-1.50"), (#""a\u001b[""#, #""a\u{1b}[""#),
      ("[1, null]", "[1, null]"), ("[1,2,3,4,5]", "a list of 5"),
      (#"{"a": 1, "b": [1]}"#, #"{"a", "b"}"#), ("[]", "[]"), ("{}", "{}"),
    ] {
      #expect(try read(text).shown == shown)
    }
    #expect(try read("\"\(String(repeating: "a", count: 1000))\"").shown.utf8.count < 90)
  }

  private struct File: Decodable {
    var id: Int
    var share: Float?
    var small: Int8?
    var list: [Int]?
  }

  private func misfit(_ text: String) -> String {
    let error = #expect(throws: JSONProblem.self) {
      try decodeJSON(File.self, from: Array(text.utf8))
    }
    return error?.description ?? ""
  }

  @Test func theOneNumberThatDoesNotFitIsTold() throws {
    #expect(
      misfit("{\"share\": 0.5,\n\"id\": 1.5}")
        == "the number 1.5 (line 2, column 7) is a fraction, where a whole number belongs")
    #expect(
      misfit("{\"id\": 1, \"share\": 1e60}")
        == "the number 1e60 (column 20) is too large for what it says")
    #expect(misfit("{\"id\": 99999999999999999999, \"share\": 0.5}").contains("too large"))
    #expect(misfit("{\"id\": -99999999999999999999}").contains("too small"))
    #expect(misfit("{\"id\": 1e5, \"list\": [1, 2, 2.5]}").contains("the number 2.5 (column 28)"))
    #expect(misfit("{\"id\": 1, \"id\": 2}").contains("\"id\" is there twice"))
    let file = try decodeJSON(File.self, from: Array("\u{FEFF}{\"id\": 5.0, \"share\": 1e-3}".utf8))
    #expect(file.id == 5 && file.share == 1e-3)
    #expect(throws: DecodingError.self) { try decodeJSON(File.self, from: Array("{}".utf8)) }
  }

  /// Whatever is read is also JSON to the library; nothing traps.
  @Test func fuzzedDocumentsNeverTrap() {
    var accepted = 0
    Fuzz.run { generator, seed in
      var bytes = Array(
        "{\"a\": [1, -2.5e3, true, null, \"x\\u00e9\"], \"b\": {\"c\": false}, \"d\": \"\u{E9}\"}"
          .utf8)
      for _ in 0..<50 {
        generator.mutate(&bytes)
        if let value = try? JSONValue(bytes) {
          accepted += 1
          _ = (value.shown, value["a"]?.shown, value["b"]?.whole)
          _ = (value["a"]?.textLists, value["a"]?.texts, value.oddNumbers(atMost: 9))
          _ = value["a"]?.list?.compactMap(\.number).map { WholeNumber($0) }
          #expect(
            (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed))
              != nil
              || String(decoding: bytes, as: UTF8.self).contains("e"), "seed \(seed)")
        }
        _ = try? decodeJSON(File.self, from: bytes)
        if bytes.count > 400 { break }
      }
    }
    #expect(accepted > 0)
  }
}
