import Foundation
import TestSupport
import Testing

@testable import Model

/// What all JSON of others is read with, against the standard's examples and Foundation's reader.
@Suite struct JSONCheckerTests {
  private func problem(_ text: String) -> JSONProblem? {
    do throws(JSONProblem) {
      _ = try JSONValue(Array(text.utf8))
      return nil
    } catch { return error }
  }

  @Test(arguments: [
    "0", "-0", "1.5e+3", "\"\"", "[]", "{}", " [ 1 , [ ] , { } ] ", "null", "true",
    #"{"a":{"a":1},"b":[{"a":1},{"a":2}]}"#, #""\ud83d\ude00\u0000\/\"""#, "\u{FEFF}{}",
    "{\"\u{E9}\":1,\"e\u{301}\":2}", #"{"":0}"#,
  ])
  func isJSON(_ text: String) { #expect(problem(text) == nil) }

  /// What is said, and of which byte.
  @Test(arguments: [
    ("{", "it ends too early", 1), (#"{"a""#, "it ends too early", 4),
    (#"{"a":"#, "it ends too early", 5), ("[1,", "it ends too early", 3),
    ("[1", "it ends too early", 2), ("1.", "it ends too early", 2), ("-", "it ends too early", 1),
    ("1e", "it ends too early", 2), ("nul", "it ends too early", 3),
    ("[1,]", "expected a value", 3), (#"{"a":1,}"#, "expected '\"'", 7),
    ("{a:1}", "expected '\"'", 1), ("{\"a\" 1}", "expected ':'", 5),
    ("[1 2]", "expected ',' or ']'", 3), (#"{"a":1 "b":2}"#, "expected ',' or '}'", 7),
    ("[nil]", "expected a value", 1), ("TRUE", "expected a value", 0),
    ("NaN", "expected a value", 0), ("-Infinity", "expected a value", 1),
    ("01", "a number must not begin with 0", 0), ("[-00]", "a number must not begin with 0", 1),
    (".5", "expected a value", 0), ("+1", "expected a value", 0),
    ("[1.]", "expected a digit behind the point", 3),
    ("[1e]", "expected a digit in the exponent", 3), ("'a'", "expected a value", 0),
    (" \"a", "the string does not end", 1), ("\"a\n\"", "a control character must be escaped", 2),
    (#""\x41""#, "an escape that JSON does not know", 2),
    (#""\u12g4""#, "expected four hexadecimal digits", 5), (#""\ud83d""#, "half a character", 1),
    (#""\ude00""#, "half a character", 1), (#""a\ud83d\u0041""#, "half a character", 2),
    (#""\ud83d\ud83d""#, "half a character", 1), ("{} {}", "more behind the end", 3),
    ("\u{FEFF}{} x", "more behind the end", 6), ("// a\n{}", "expected a value", 0),
    ("\u{FEFF}\u{FEFF}{}", "expected a value", 3), ("[1]\u{0}", "more behind the end", 3),
  ])
  func isNot(_ text: String, _ words: String, _ place: Int) {
    guard let problem = problem(text), case .syntax(let what) = problem.fault else {
      Issue.record("\(text) is taken")
      return
    }
    #expect(what.hasPrefix(words), "\(text): \(what)")
    #expect(problem.offset == place, "\(text): \(problem.offset)")
    #expect(!problem.isJSON)
  }

  @Test(arguments: ["", " ", "\n\t\r ", "\u{FEFF}", "\u{FEFF} \n"])
  func isEmpty(_ text: String) {
    #expect(problem(text)?.fault == .empty && problem(text)?.offset == text.utf8.count)
  }

  @Test(arguments: [
    (#"{"a":1,"a":1}"#, "a"), (#"{"a":null,"a":1}"#, "a"), (#"{"a":1,"\u0061":2}"#, "a"),
    (#"{"p":{"k":1,"k":2}}"#, "p.k"), (#"{"a":[{"b":1,"b":1}]}"#, "a.b"),
    (#"[{"a":1,"a":1}]"#, "a"),
    (#"{"a":{"b":{"c":1,"c":1}}}"#, "a.b.c"),
  ])
  func membersGivenTwice(_ text: String, _ path: String) {
    #expect(
      problem(text)?.fault == .twice(path.split(separator: ".").map(String.init)), "\(text)")
  }

  /// Hundreds of thousands of members are told apart, and the second of one name is found.
  @Test func manyMembersAreToldApart() throws {
    func object(_ names: [String]) -> [UInt8] {
      Array(("{" + names.map { "\"\($0)\":null" }.joined(separator: ",") + "}").utf8)
    }
    let names = (0..<300_000).map(String.init)
    #expect(try JSONValue(object(names)).members?.count == 300_000)
    for twin in ["0", "15", "16", "299999"] {
      let error = #expect(throws: JSONProblem.self) { try JSONValue(object(names + [twin])) }
      #expect(error?.fault == .twice([twin]))
    }
  }

  @Test func brokenUTF8AndDeepNestingAreNot() {
    for bytes in [
      [0x22, 0xC3, 0x28, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0xFF, 0xFE, 0x7B, 0],
    ] {
      #expect(throws: JSONProblem.self) { try JSONValue(bytes.map { UInt8($0) }) }
    }
    let bytes: [UInt8] = [0x22, 0x61, 0x61, 0xFF, 0x22]
    #expect(throws: JSONProblem(.syntax("it is not UTF-8"), at: 3, in: bytes)) {
      try JSONValue(bytes)
    }
    func nested(_ depth: Int) -> String {
      String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
    }
    for deepest in [1, JSONValue.deepest, 128] {
      #expect(throws: Never.self) {
        try JSONValue(Array(nested(deepest).utf8), deepest: deepest)
      }
      for text in [nested(deepest + 1), String(repeating: "[", count: 1 << 20)] {
        let error = #expect(throws: JSONProblem.self) {
          try JSONValue(Array(text.utf8), deepest: deepest)
        }
        #expect(error?.fault == .tooDeep(deepest) && error?.offset == deepest)
      }
    }
    // What is no list and no object is not a level.
    #expect(throws: Never.self) { try JSONValue(Array("[[1, \"a\"]]".utf8), deepest: 2) }
  }

  /// As Foundation makes it, to be compared.
  private func any(_ value: JSONValue) -> NSObject {
    switch value.kind {
    case .text: return (value.text ?? "") as NSString
    case .flag: return NSNumber(value: value.flag ?? false)
    case .null: return NSNull()
    case .number: return NSNumber(value: value.whole ?? -1)
    case .list: return ((value.list ?? []).map(any)) as NSArray
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
        let ours = try JSONValue(bytes)
        taken += 1
        #expect(isConsistent(ours), "\(message)")
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
        if !error.isJSON, !"\(error)".contains("half"), !"\(error)".contains("UTF-8"),
          bytes[..<error.offset].last(where: { !JSONValue.isSpace($0) }) != UInt8(ascii: ",")
        {
          #expect(theirs == nil, "\(message): \(error)")
        }
      }
    }
    #expect(taken > 100 && refused > 100)
  }

  /// A member by its name is that of the list of all, at every level; null is none.
  private func isConsistent(_ value: JSONValue) -> Bool {
    (value.members ?? []).allSatisfy { member in
      let found = value[member.name]
      return found?.range == (member.value.kind == .null ? nil : member.value.range)
        && isConsistent(member.value)
    } && (value.list ?? []).allSatisfy(isConsistent)
      && value.isEmpty == (value.members?.isEmpty ?? value.list?.isEmpty ?? false)
  }

  /// A number in it is not whole, or does not fit.
  private func hasFraction(_ value: JSONValue) -> Bool {
    switch value.kind {
    case .number: value.whole == nil
    case .list: (value.list ?? []).contains(where: hasFraction)
    case .object: (value.members ?? []).contains { hasFraction($0.value) }
    default: false
    }
  }
}
