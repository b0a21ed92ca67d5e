import Foundation
import TestSupport
import Testing

@testable import Dispatcher

/// What bodies are read with, against the standard's examples and Foundation's reader.
@Suite struct JSONCheckerTests {
  private func problem(_ text: String) -> JSONProblem? {
    do throws(JSONProblem) {
      _ = try JSONChecker.check(Array(text.utf8))
      return nil
    } catch { return error }
  }

  @Test(arguments: [
    "0", "-0", "1.5e+3", "\"\"", "[]", "{}", " [ 1 , [ ] , { } ] ", "null", "true",
    #"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#, #""\ud83d\ude00\u0000\/\"""#, "\u{FEFF}{}",
    "{\"\u{E9}\":1,\"e\u{301}\":2}", #"{"":0}"#,
  ])
  func isJSON(_ text: String) { #expect(problem(text) == nil) }

  @Test(arguments: [
    ("", "it is empty"), (" ", "it is empty"), ("{", "it ends too early"),
    (#"{"a""#, "it ends too early"), (#"{"a":"#, "it ends too early"), ("[1,", "it ends too early"),
    ("[1,]", "a value was expected"), (#"{"a":1,}"#, "a member's name was expected"),
    ("{a:1}", "a member's name was expected"), ("{\"a\" 1}", "a colon was expected"),
    ("[1 2]", "a comma or ] was expected"), (#"{"a":1 "b":2}"#, "a comma or } was expected"),
    ("nul", "null was expected"), ("TRUE", "a value was expected"), ("NaN", "a value was expected"),
    ("01", "more behind its end"), ("1.", "it ends too early"), ("-", "it ends too early"),
    ("1e", "it ends too early"), (".5", "a value was expected"), ("+1", "a value was expected"),
    ("[1.]", "a digit was expected"), ("'a'", "a value was expected"),
    ("\"a", "a text is not ended"), ("\"a\n\"", "a control character"),
    (#""\x41""#, "an escape that JSON does not know"), (#""\u12g4""#, "hexadecimal digits"),
    (#""\ud83d""#, "half a character"), (#""\ude00""#, "half a character"),
    (#""\ud83d\u0041""#, "half a character"), ("{} {}", "more behind its end"),
    ("// a\n{}", "a value was expected"),
  ])
  func isNot(_ text: String, _ words: String) {
    guard case .broken(let what, let place)? = problem(text) else {
      Issue.record("\(text) is taken")
      return
    }
    #expect(what.contains(words), "\(text): \(what)")
    #expect(0...text.utf8.count ~= place)
  }

  @Test(arguments: [
    (#"{"a":1,"a":1}"#, "a"), (#"{"a":null,"a":1}"#, "a"), (#"{"a":1,"\u0061":2}"#, "a"),
    (#"{"p":{"k":1,"k":2}}"#, "p.k"), (#"{"a":[{"b":1,"b":1}]}"#, "a.b"),
    (#"[{"a":1,"a":1}]"#, "a"),
    (#"{"a":{"b":{"c":1,"c":1}}}"#, "a.b.c"),
  ])
  func membersGivenTwice(_ text: String, _ path: String) { #expect(problem(text) == .twice(path)) }

  @Test func brokenUTF8AndDeepNestingAreNot() {
    for bytes in [
      [0x22, 0xC3, 0x28, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0xFF, 0xFE, 0x7B, 0],
    ] {
      #expect(throws: JSONProblem.self) { try JSONChecker.check(bytes.map { UInt8($0) }) }
    }
    #expect(throws: JSONProblem.broken("it is not UTF-8", at: 3)) {
      try JSONChecker.check([0x22, 0x61, 0x61, 0xFF, 0x22])
    }
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    #expect(problem(nested(JSONChecker.deepest)) == nil)
    #expect(problem(nested(JSONChecker.deepest + 1)) != nil)
    #expect(problem(String(repeating: "[", count: 1 << 20)) != nil)
  }

  @Test(arguments: [
    ("3", 3), ("3.0", 3), ("3e2", 300), ("-7", -7), ("0", 0), ("3.5", nil), ("1e400", nil),
    ("99999999999999999999", nil), ("9223372036854775807", Int.max), ("\"3\"", nil), ("true", nil),
  ])
  func wholeNumbers(_ text: String, _ value: Int?) throws {
    #expect(try JSONChecker.check(Array(text.utf8)).wholeNumber == value)
  }

  /// As Foundation makes it, to be compared.
  private func any(_ value: JSONValue) -> NSObject {
    switch value.kind {
    case .text: return (value.text ?? "") as NSString
    case .flag: return NSNumber(value: value.flag ?? false)
    case .null: return NSNull()
    case .number: return NSNumber(value: value.wholeNumber ?? -1)
    case .list: return (value.list(any) ?? []) as NSArray
    case .object:
      return NSDictionary(
        dictionary: Dictionary(
          (value.members ?? []).map { ($0.name, any($0.value)) }, uniquingKeysWith: { $1 }))
    }
  }

  private static let bodies = [
    #"{"model": "topic", "inputs": "a cat", "parameters": {"top_k": 3, "truncate": true}}"#,
    #" { "inputs" : [ "a cat" , "dög\n\u00e9\ud83d\ude00" ] , "adapter_id":"x","raw_scores": false }"#,
    #"{"input": ["good", "bad", "日本"], "model": "m", "user": "me", "stream": null}"#,
    #"{"inputs": [["ann", "\\", ""], ["a"]], "id": [12, 0, {"a": {}, "b": [[]]}]}"#,
  ]

  /// What this takes Foundation takes, and reads the same; what Foundation does not take, this does not.
  @Test func fuzzedBodiesEqualFoundations() {
    var (taken, refused) = (0, 0)
    Fuzz.run { random, seed in
      var bytes = Array((Self.bodies.randomElement(using: &random) ?? "").utf8)
      if Int.random(in: 0..<4, using: &random) > 0 { random.mutate(&bytes) }
      let theirs =
        try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)
        as? NSObject
      let message = "seed \(seed): \(String(decoding: bytes, as: UTF8.self))"
      do throws(JSONProblem) {
        let ours = try JSONChecker.check(bytes)
        taken += 1
        // Foundation refuses numbers that fit no type.
        if let theirs {
          if hasFraction(ours) { return }
          #expect(any(ours) == theirs, "\(message)")
        } else {
          #expect(hasFraction(ours), "\(message)")
        }
      } catch {
        refused += 1
        // It takes a second member of a name, half characters, other encodings of Unicode, and a comma
        // behind the last of a list.
        if case .broken(let what, let place) = error, !what.contains("half"),
          !what.contains("UTF-8"),
          bytes[..<place].last(where: { !JSONValue.isSpace($0) }) != UInt8(ascii: ",")
        {
          #expect(theirs == nil, "\(message): \(what)")
        }
      }
    }
    #expect(taken > 100 && refused > 100)
  }

  /// A number in it is not whole, or does not fit.
  private func hasFraction(_ value: JSONValue) -> Bool {
    switch value.kind {
    case .number: value.wholeNumber == nil
    case .list: (value.list(hasFraction) ?? []).contains(true)
    case .object: (value.members ?? []).contains { hasFraction($0.value) }
    default: false
    }
  }
}
