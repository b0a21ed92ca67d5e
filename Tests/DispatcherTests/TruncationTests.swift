import Foundation
import Model
import ServingSupport
import TestSupport
import Testing

@testable import Dispatcher

/// Which tokens of a text that is too long are read.
@Suite(.timeLimit(.minutes(5))) struct TruncationTests {
  /// 300 words of one token each, no two stretches of them alike.
  private static let words: [String] = {
    var random = SeededGenerator(seed: 4)
    let known = Array(TinyModel.words.dropFirst(10))
    return (0..<300).map { _ in known.randomElement(using: &random) ?? "a" }
  }()
  private static let long = words.joined(separator: " ")
  private static func last(_ count: Int) -> String { words.suffix(count).joined(separator: " ") }
  private static func first(_ count: Int) -> String { words.prefix(count).joined(separator: " ") }

  private static func close(_ a: [Double], _ b: [Double]) -> Bool {
    !a.isEmpty && a.count == b.count && zip(a, b).allSatisfy { abs($0 - $1) < 1e-5 }
  }

  /// All numbers of an answer, in order.
  private static func all(_ answer: Client.Answer) -> [Double] {
    func numbers(_ value: Any?) -> [Double] {
      switch value {
      case let list as [Any]: list.flatMap(numbers)
      case let object as [String: Any]:
        object.keys.sorted().filter { !["id", "created"].contains($0) }
          .flatMap { numbers(object[$0]) }
      case let number as NSNumber: [number.doubleValue]
      default: []
      }
    }
    return numbers(answer.json)
  }

  /// In every route what is cut is as if the rest alone had been sent: 62 tokens of a text fit, 61 of a pair.
  @Test func textsAreCutOnTheSideThatIsAskedFor() async throws {
    let cut = #""truncate": true"#
    let cases: [(path: String, body: @Sendable (String) -> String, room: Int)] = [
      ("/embed", { #""model": "meaning", "inputs": "\#($0)""# }, 62),
      ("/predict", { #""model": "topic", "inputs": "\#($0)""# }, 62),
      ("/predict", { #""model": "similar", "inputs": ["a cat", "\#($0)"]"# }, 59),
      ("/predict", { #""model": "similar", "inputs": ["\#($0)", "a cat"]"# }, 59),
      ("/rerank", { #""model": "similar", "query": "a cat", "texts": ["b", "\#($0)"]"# }, 59),
      ("/rerank", { #""model": "similar", "query": "\#($0)", "texts": ["a cat", "a dog"]"# }, 59),
      (
        "/similarity",
        {
          #""model": "meaning", "inputs": {"source_sentence": "a", "sentences": ["\#($0)"]}"#
        }, 62
      ),
      ("/v1/embeddings", { #""model": "meaning", "input": ["a", "\#($0)"]"# }, 62),
      ("/classify", { #""model": "mood", "input": "\#($0)""# }, 62),
    ]
    try await TinyServer().test { client in
      for (path, body, room) in cases {
        let left = try await client.post(path, "{\(body(Self.last(room)))}")
        let right = try await client.post(path, "{\(body(Self.first(room)))}")
        #expect(left.status == 200 && !Self.close(Self.all(left), Self.all(right)))
        for (members, expected) in [
          (cut, right), (#"\#(cut), "truncation_direction": "Right""#, right),
          (#"\#(cut), "truncation_direction": "Left""#, left),
          (#"\#(cut), "truncation_side": "left""#, left),
          (#""parameters": {\#(cut), "truncation_direction": "Left"}"#, left),
          (#""truncate_prompt_tokens": -1"#, left),
          (#""truncate_prompt_tokens": 64"#, left),
          (#""truncate_prompt_tokens": -1, "truncation_direction": "Right""#, right),
        ] {
          let answer = try await client.post(path, "{\(body(Self.long)), \(members)}")
          #expect(
            Self.close(Self.all(answer), Self.all(expected)), "\(path) \(members): \(answer.text)")
        }
        // A side says nothing of whether.
        let side = try await client.post(
          path, "{\(body(Self.long)), \"truncation_direction\": \"Left\"}")
        #expect(side.status == (path == "/classify" || path.hasPrefix("/v1") ? 400 : 413))
      }
    }
  }

  @Test func soManyTokensAreRead() async throws {
    try await TinyServer().test { client in
      func ask(_ text: String, _ more: String = "") async throws -> Client.Answer {
        try await client.post(
          "/v1/embeddings", #"{"model": "meaning", "input": "\#(text)"\#(more)}"#)
      }
      let ten = try await ask(Self.long, #", "truncate_prompt_tokens": 10"#)
      #expect(ten.header("x-compute-tokens") == "10")
      #expect(Self.close(Self.all(ten), Self.all(try await ask(Self.last(8)))))
      // What is shorter is read whole, and what is refused says what is possible.
      let short = try await ask("a cat", #", "truncate_prompt_tokens": 10"#)
      #expect(Self.close(Self.all(short), Self.all(try await ask("a cat"))))
      let over = try await ask(Self.long, #", "truncate_prompt_tokens": 65"#)
      #expect(over.status == 400 && over.message.contains("more than this vBERT takes: 64"))
      let none = try await ask(Self.long, #", "truncate_prompt_tokens": 2"#)
      #expect(none.status == 400 && none.message.contains("leaves no token"))
      // Without special tokens there is room for two more.
      let bare = try await ask(
        Self.long, #", "truncate_prompt_tokens": 10, "add_special_tokens": false"#)
      #expect(bare.header("x-compute-tokens") == "10")
      let same = try await ask(Self.last(10), #", "add_special_tokens": false"#)
      #expect(Self.close(Self.all(bare), Self.all(same)))
      #expect(!Self.close(Self.all(same), Self.all(try await ask(Self.last(10)))))
      let blank = try await ask(" ", #", "add_special_tokens": false"#)
      #expect(blank.status == 400 && blank.message.contains("text 0 has no tokens"))
      let long = try await ask(Self.long, #", "add_special_tokens": false"#)
      #expect(long.status == 400 && long.message.contains("300 tokens"))
    }
  }

  /// Words cut off at the front are outside of everything, as those behind are; offsets are the text's own.
  @Test func taggedTextsLoseTheirFirstWords() async throws {
    try await TinyServer().test { client in
      let text = "\u{1F600} \u{E9}. " + Self.long
      let mask = #""aggregation_strategy": "none", "truncate": true"#
      func ask(_ text: String, _ more: String = "") async throws -> [[String: Any]] {
        let answer = try await client.post(
          "/tag", #"{"model": "names", "inputs": "\#(text)", \#(mask)\#(more)}"#)
        #expect(answer.status == 200, "\(answer.text)")
        return answer.objects
      }
      let left = try await ask(text, #", "truncation_direction": "Left""#)
      let rest = try await ask(Self.last(62))
      #expect(left.count == 303 && rest.count == 62)
      #expect(
        left.prefix(241).allSatisfy { $0["entity"] as? String == "O" && $0["score"] as? Int == 0 })
      let scalars = Array(text.unicodeScalars)
      for (a, b) in zip(left.suffix(62), rest) {
        #expect(a["entity"] as? String == b["entity"] as? String)
        #expect(abs((a["score"] as? Double ?? 0) - (b["score"] as? Double ?? 1)) < 1e-5)
      }
      for word in left {
        let (start, end) = (word["start"] as? Int ?? 0, word["end"] as? Int ?? 0)
        #expect(
          String(String.UnicodeScalarView(scalars[start..<end])) == word["word"] as? String)
      }
      // The same for words that are given, and by /predict.
      let list = Self.words.map { "\"\($0)\"" }.joined(separator: ",")
      let given = try await client.post(
        "/tag",
        #"{"model": "names", "inputs": [[\#(list)]], \#(mask), "truncation_direction": "Left"}"#)
      let words = given.list.first as? [[String: Any]] ?? []
      #expect(words.count == 300)
      for (a, b) in zip(words, left.suffix(300)) {
        #expect(a["entity"] as? String == b["entity"] as? String)
      }
      let predicted = try await client.post(
        "/predict",
        #"{"model": "names", "inputs": "\#(text)", \#(mask), "truncation_direction": "Left"}"#)
      #expect(predicted.objects.count == 303)
    }
  }

  /// A word whose first token is cut off has no tag of its own: its tag is the first token's to say.
  @Test func aWordThatLostItsBeginningIsOutside() async throws {
    try await TinyServer().test { client in
      // "cats" has two tokens; 61 others leave room for its second alone.
      let rest = Self.last(61)
      for strategy in ["none", "first", "average", "max"] {
        let answer = try await client.post(
          "/tag",
          #"{"model": "names", "inputs": "cats \#(rest)", "aggregation_strategy": "\#(strategy)", "truncate": true, "truncation_direction": "Left"}"#
        )
        #expect(answer.header("x-compute-tokens") == "64")
        if strategy == "none" {
          #expect(answer.objects[0]["entity"] as? String == "O" && answer.objects.count == 62)
          #expect(answer.objects[0]["score"] as? Int == 0)
        } else {
          #expect(answer.objects.allSatisfy { ($0["start"] as? Int ?? 0) >= 5 })
        }
      }
    }
  }

  /// Far more words than are listed, and no white space at all.
  @Test func longTextsAreReadFromTheirEnd() async throws {
    var limits = ServerLimits()
    limits.tagWords = 70
    try await TinyServer(limits: limits).test { client in
      let left =
        #""truncate": true, "truncation_direction": "Left", "aggregation_strategy": "none""#
      for unit in ["ann . ", "."] {
        let text = String(repeating: unit, count: 500_000 / unit.utf8.count) + "bob"
        let answer = try await client.post(
          "/tag", #"{"model": "names", "inputs": "\#(text)", \#(left)}"#)
        let found = answer.objects
        #expect(answer.status == 200 && found.count == 70, "\(answer.text.prefix(200))")
        #expect(found.last?["end"] as? Int == text.unicodeScalars.count)
        #expect(found.last?["word"] as? String == "bob")
        #expect(found.prefix(8).allSatisfy { $0["entity"] as? String == "O" })
      }
      let same = String(repeating: "the cat sat ", count: 40_000)
      let embedded = try await client.post(
        "/embed",
        #"{"model": "meaning", "inputs": "\#(same)", "truncate": true, "truncation_direction": "Left"}"#
      )
      #expect(embedded.status == 200 && embedded.header("x-compute-tokens") == "64")
    }
  }

  /// Requests of different directions in one batch are answered as each of them alone.
  @Test func aloneEqualsTogether() async throws {
    let server = try await TinyServer()
    try await server.test { client in
      let bodies = [#", "truncate": true"#, #", "truncate": true, "truncation_direction": "Left""#]
        .flatMap { more in
          [
            ("/embed", #"{"model": "meaning", "inputs": "\#(Self.long)"\#(more)}"#),
            ("/tag", #"{"model": "names", "inputs": "\#(Self.long)"\#(more)}"#),
            ("/predict", #"{"model": "topic", "inputs": "\#(Self.long)"\#(more)}"#),
          ]
        }
      var alone: [Client.Answer] = []
      for (path, body) in bodies { alone.append(try await client.post(path, body)) }
      let together = try await withThrowingTaskGroup(of: (Int, Client.Answer).self) { group in
        for (i, (path, body)) in bodies.enumerated() {
          group.addTask { (i, try await client.post(path, body)) }
        }
        var answers = [Int: Client.Answer]()
        for try await (i, answer) in group { answers[i] = answer }
        return answers
      }
      for i in bodies.indices {
        #expect(Self.close(Self.all(alone[i]), together[i].map(Self.all) ?? []), "\(bodies[i].0)")
      }
    }
  }
}
