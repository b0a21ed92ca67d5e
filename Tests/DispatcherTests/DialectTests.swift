import Foundation
import ServingSupport
import Testing

@testable import Dispatcher

/// Every member of the imitated APIs, in every route: honoured, let be, or refused by name.
@Suite(.timeLimit(.minutes(5))) struct DialectTests {
  /// A body for each route, without its last brace.
  static let bodies: [(dialect: Dialect, body: String)] = [
    (.embed, #"{"model": "meaning", "inputs": "a red dog""#),
    (.predict, #"{"model": "topic", "inputs": "a red dog""#),
    (.predict, #"{"model": "names", "inputs": "ann in paris""#),
    (.tag, #"{"model": "names", "inputs": "ann in paris""#),
    (.rerank, #"{"model": "similar", "query": "a cat", "texts": ["a dog", "the cat"]"#),
    (.ranking, #"{"model": "similar", "query": "a cat", "documents": ["a dog", "the cat"]"#),
    (
      .similarity,
      #"{"model": "meaning", "inputs": {"source_sentence": "a cat", "sentences": ["a dog"]}"#
    ),
    (.tokenize, #"{"model": "topic", "inputs": "a red dog""#),
    (.embeddings, #"{"model": "meaning", "input": "a red dog""#),
    (.classify, #"{"model": "mood", "input": "a red dog""#),
  ]

  /// What of an answer may differ between two that are the same.
  private static func same(_ a: Client.Answer, _ b: Client.Answer) -> Bool {
    func plain(_ answer: Client.Answer) -> NSObject? {
      guard var object = answer.json as? [String: Any] else { return answer.json as? NSObject }
      object["id"] = nil
      object["created"] = nil
      return object as NSObject
    }
    return a.status == b.status && plain(a) == plain(b)
  }

  private static var everyName: [String] {
    Set(Dialect.all.flatMap { $0.honoured + $0.inputs } + Dialect.others.keys).sorted()
  }

  /// null is as if the member were not there, known or not, in the body and in `parameters`.
  @Test func nullIsAbsent() async throws {
    try await TinyServer().test { client in
      for (dialect, body) in Self.bodies {
        let plain = try await client.post(dialect.path, body + "}")
        #expect(plain.status == 200, "\(dialect.path): \(plain.text)")
        let names = Self.everyName.filter { !dialect.inputs.contains($0) }
        let nulls = (names + ["options", "adapter_id", "whatever"]).map { "\"\($0)\": null" }
          .joined(separator: ", ")
        for more in [nulls, #""parameters": null"#, "\"parameters\": {\(nulls)}"] {
          let answer = try await client.post(dialect.path, "\(body), \(more)}")
          #expect(Self.same(answer, plain), "\(dialect.path) \(more): \(answer.text)")
        }
        for name in dialect.inputs {
          let missing = try await client.post(
            dialect.path, body.replacing("\"\(name)\":", with: "\"\(name)\": null, \"x\":") + "}")
          #expect(missing.status / 100 == 4, "\(missing.text)")
        }
      }
    }
  }

  @Test func whatCannotChangeAnAnswerIsLetBe() async throws {
    try await TinyServer().test { client in
      for (dialect, body) in Self.bodies {
        let plain = try await client.post(dialect.path, body + "}")
        for (name, meaning) in Dialect.others where !dialect.honoured.contains(name) {
          let values: [String]
          switch meaning {
          case .harmless: values = [#""me""#, "7", "{\"a\": [1]}", "true"]
          case .only(let literals, _): values = literals.map(\.json)
          case .refused: continue
          }
          for value in values {
            let answer = try await client.post(dialect.path, "\(body), \"\(name)\": \(value)}")
            #expect(Self.same(answer, plain), "\(dialect.path) \(name) \(value): \(answer.text)")
          }
        }
        let options = #""options": {"use_cache": false, "wait_for_model": true, "use_gpu": true}"#
        #expect(Self.same(try await client.post(dialect.path, "\(body), \(options)}"), plain))
      }
    }
  }

  @Test func whatIsNotHonouredIsRefusedByName() async throws {
    try await TinyServer().test { client in
      for (dialect, body) in Self.bodies {
        let status = dialect.path == "/classify" || dialect.path.hasPrefix("/v1") ? 400 : 422
        for (name, meaning) in Dialect.others where !dialect.honoured.contains(name) {
          let why: String
          switch meaning {
          case .harmless: continue
          case .only(_, let words), .refused(let words): why = words
          }
          for (member, path) in [
            ("\"\(name)\": \"odd\"", name),
            ("\"parameters\": {\"\(name)\": \"odd\"}", "parameters.\(name)"),
          ] {
            let answer = try await client.post(dialect.path, "\(body), \(member)}")
            #expect(answer.status == status, "\(dialect.path) \(member): \(answer.text)")
            #expect(answer.message == "\(path) is not honoured by \(dialect.path): \(why)")
            if status == 400 { #expect(answer.param == path) }
          }
        }
        // What other routes honour, and what nobody knows.
        for other in Dialect.all {
          for name in other.honoured
          where !dialect.honoured.contains(name) && Dialect.others[name] == nil {
            let answer = try await client.post(dialect.path, "\(body), \"\(name)\": true}")
            #expect(
              answer.status == status
                && answer.message.hasPrefix("\(name) has no meaning for \(dialect.path)"),
              "\(dialect.path) \(name): \(answer.text)")
          }
        }
        for (name, words) in [
          (
            "truncat",
            dialect.honoured.contains("truncate") ? "did you mean truncate?" : "not a member"
          ),
          ("zebra", "zebra is not a member of \(dialect.path), which has: \(dialect.inputs[0])"),
          ("Model", "did you mean model?"), ("", "is not a member"),
          (String(repeating: "long", count: 5000), "… is not a member"),
        ] {
          for member in ["\"\(name)\": true", "\"parameters\": {\"\(name)\": 1}"] {
            let answer = try await client.post(dialect.path, "\(body), \(member)}")
            #expect(answer.status == status, "\(dialect.path) \(member): \(answer.text)")
            if !member.hasPrefix("\"par") {
              #expect(answer.message.contains(words), "\(answer.message)")
            }
            #expect(answer.text.utf8.count < 1000)
          }
        }
        for (member, words) in [
          (#""options": {"top_k": 1}"#, "options.top_k is not honoured"),
          (#""options": 3"#, "options: an object was expected"),
          (#""parameters": []"#, "parameters: an object was expected"),
          (#""parameters": {"model": "x"}"#, "parameters.model: model belongs beside parameters"),
          (
            "\"parameters\": {\"\(dialect.inputs[0])\": \"x\"}",
            "parameters.\(dialect.inputs[0]): \(dialect.inputs[0]) belongs beside parameters"
          ),
        ] {
          let answer = try await client.post(dialect.path, "\(body), \(member)}")
          #expect(answer.status == status && answer.message.hasPrefix(words), "\(answer.text)")
        }
      }
    }
  }

  /// What every honoured member must be; the same in `parameters`.
  private static let kinds: [String: (good: [String], bad: [String])] = [
    "truncate": (["true", "false"], ["\"yes\"", "1", "\"END\"", "[]"]),
    "truncation": (["true", "false"], ["\"longest_first\"", "1"]),
    "top_n": (["1", "2", "100"], ["0", "-1", "1.5", "\"1\""]),
    "return_documents": (["true", "false"], ["1", "\"yes\""]),
    "truncation_direction": (
      [#""Left""#, #""Right""#, #""left""#], [#""LEFT""#, #""Middle""#, "true", "\"\""]
    ),
    "truncation_side": ([#""left""#, #""right""#], [#""both""#, "1"]),
    "truncate_prompt_tokens": (
      ["-1", "10", "64", "10.0"], ["0", "-2", "65", "2", "1.5", "true", "\"10\"", "1e99"]
    ),
    "normalize": (["true", "false"], ["\"no\"", "0"]),
    "dimensions": (["1", "32"], ["0", "33", "-1", "1.5", "\"8\""]),
    "encoding_format": ([#""float""#, #""base64""#], [#""hex""#, "true", "[\"float\"]"]),
    "add_special_tokens": (["true", "false"], ["\"true\"", "1"]),
    "raw_scores": (["true", "false"], ["\"no\"", "1"]),
    "use_activation": (["true", "false"], ["\"no\""]),
    "activation": (["true", "false"], ["\"softmax\""]),
    "softmax": (["true", "false"], ["0.5"]),
    "function_to_apply": (
      [#""none""#, #""sigmoid""#, #""softmax""#], [#""relu""#, "true", "\"SOFTMAX\""]
    ),
    "top_k": (["1", "2", "100"], ["0", "-1", "1.5", "\"1\"", "true"]),
    "return_text": (["true", "false"], ["1"]),
    "aggregation_strategy": (
      ["none", "simple", "first", "average", "max"].map { "\"\($0)\"" }, [#""sum""#, "true"]
    ),
    "ignore_labels": (["[\"O\"]", "[\"O\", \"PER\"]"], ["\"O\"", "[1]", "[\"PER\"]", "[]"]),
  ]
  private static let ofTaggers = ["aggregation_strategy", "ignore_labels"]
  private static let ofLabels = [
    "function_to_apply", "top_k", "raw_scores", "use_activation", "activation", "softmax",
  ]

  @Test func honouredMembersAreChecked() async throws {
    try await TinyServer().test { client in
      for (dialect, body) in Self.bodies {
        let isTagger = body.contains("names")
        for name in dialect.honoured {
          let kind = try #require(Self.kinds[name], "\(name) is in no table")
          for (values, isGood) in [(kind.good, true), (kind.bad, false)] {
            for value in values {
              for member in ["\"\(name)\": \(value)", "\"parameters\": {\"\(name)\": \(value)}"] {
                let answer = try await client.post(dialect.path, "\(body), \(member)}")
                let hasMeaning =
                  dialect.path != "/predict"
                  || (isTagger
                    ? !Self.ofLabels.contains(name) || (name, value) == ("raw_scores", "false")
                    : !Self.ofTaggers.contains(name))
                #expect(
                  answer.status / 100 == (isGood && hasMeaning ? 2 : 4),
                  "\(dialect.path) \(member): \(answer.text)")
                if answer.status != 200 {
                  #expect(
                    answer.message.hasPrefix(
                      member.hasPrefix("\"par") ? "parameters.\(name)" : name))
                }
              }
            }
          }
          let twice = try await client.post(
            dialect.path,
            "\(body), \"\(name)\": \(kind.good[0]), \"parameters\": {\"\(name)\": \(kind.good[0])}}"
          )
          #expect(twice.message.contains("is given twice"), "\(twice.text)")
        }
      }
    }
  }

  /// Of two members of one name one would count silently.
  @Test func membersGivenTwiceAreRefused() async throws {
    try await TinyServer().test { client in
      for (dialect, body) in Self.bodies {
        for (member, path) in [
          (#""model": "topic""#, "model"), (#""user": 1, "user": 1"#, "user"),
          (#""mod\u0065l": "topic""#, "model"), (#""model": null"#, "model"),
          (#""parameters": {"truncate": true, "truncate": false}"#, "parameters.truncate"),
          (#""metadata": {"a": [{"b": 1, "b": 2}]}"#, "metadata.a.b"),
          ("\"\(dialect.inputs[0])\": \"b\"", dialect.inputs[0]),
        ] {
          let answer = try await client.post(dialect.path, "\(body), \(member)}")
          #expect(
            answer.status / 100 == 4
              && answer.message == "\(path) is given twice: say it once",
            "\(member): \(answer.text)")
        }
      }
    }
  }

  @Test func whatIsToldOfANameIsShort() async throws {
    try await TinyServer().test { client in
      let name = String(repeating: "\\u0000long", count: 20_000)
      for body in ["{\"\(name)\": 1, \"\(name)\": 2}", "{\"a\": {\"\(name)\": 1, \"\(name)\": 2}}"]
      {
        for path in ["/embed", "/v1/embeddings"] {
          let answer = try await client.post(path, body)
          #expect(answer.status / 100 == 4 && answer.message.contains("is given twice"))
          #expect(answer.text.utf8.count < 2000)
        }
      }
    }
  }

  @Test func contradictionsAreRefused() async throws {
    try await TinyServer().test { client in
      for (dialect, body) in Self.bodies {
        let pairs = [
          ("truncate", "false", "truncate_prompt_tokens", "10"),
          ("truncate", "true", "truncation", "false"), ("top_n", "1", "top_k", "2"),
          ("truncation_direction", #""Left""#, "truncation_side", #""right""#),
          ("raw_scores", "true", "use_activation", "true"),
          ("raw_scores", "false", "softmax", "false"),
          ("function_to_apply", #""softmax""#, "raw_scores", "true"),
          ("function_to_apply", #""none""#, "activation", "true"),
        ]
        for (one, value, other, its) in pairs
        where dialect.honoured.contains(one) && dialect.honoured.contains(other) {
          let answer = try await client.post(
            dialect.path, "\(body), \"\(one)\": \(value), \"\(other)\": \(its)}")
          #expect(
            answer.status / 100 == 4 && answer.message.contains("\(one) and \(other) contradict"),
            "\(answer.text)")
        }
      }
    }
  }

  /// A wrong name for what is needed, and none, are told apart.
  @Test func missingMembersAreNamed() async throws {
    try await TinyServer().test { client in
      for (path, body, message) in [
        (
          "/embed", #"{"text": "a", "model": "meaning"}"#,
          "inputs is missing; text is not a member of /embed: did you mean inputs?"
        ),
        (
          "/embed", #"{"input": "a"}"#,
          "inputs is missing; input is not a member of /embed: did you mean inputs?"
        ),
        (
          "/tag", #"{"inptus": "a"}"#,
          "inputs is missing; inptus is not a member of /tag: did you mean inputs?"
        ),
        (
          "/v1/embeddings", #"{"inputs": "a"}"#,
          "input is missing; inputs is not a member of /v1/embeddings: did you mean input?"
        ),
        (
          "/classify", #"{"text": "a"}"#,
          "input is missing; text is not a member of /classify: did you mean input?"
        ),
        (
          "/rerank", #"{"query": "a", "passages": ["b"]}"#,
          "texts is missing; passages is not a member of /rerank: did you mean texts?"
        ),
        (
          "/rerank", #"{"question": "a", "texts": ["b"]}"#,
          "query is missing; question is not a member of /rerank: did you mean query?"
        ),
        (
          "/tokenize", #"{"prompt": "a"}"#,
          "inputs is missing; prompt is not a member of /tokenize: did you mean inputs?"
        ),
        ("/embed", #"{"inputs": null}"#, "inputs: it is missing"),
        ("/embed", "{}", "inputs: it is missing"),
        ("/rerank", #"{"query": "a"}"#, "texts: it is missing"),
        (
          "/similarity", #"{"inputs": {"sentences": ["a"], "source_sentence": null}}"#,
          "inputs.source_sentence: it is missing"
        ),
        (
          "/similarity", #"{"inputs": {"sentences": ["a"], "source": "b"}}"#,
          "inputs.source is not a member of inputs, which has: source_sentence, sentences"
        ),
        ("/embed", #"{"inputs": [1, 2]}"#, "inputs[0]: text was expected, and this is a number"),
        ("/embed", #"{"inputs": ["a", null]}"#, "inputs[1]: text was expected, and this is null"),
        ("/embed", #"{"inputs": [["a"]]}"#, "inputs: a text or a list of texts was expected"),
        (
          "/tag", #"{"inputs": ["a", ["b"], {}]}"#,
          "inputs[2]: text was expected, and this is an object"
        ),
        (
          "/rerank", #"{"query": "a", "texts": ["a", true]}"#,
          "texts[1]: text was expected, and this is true or false"
        ),
        (
          "/v1/embeddings", #"{"input": [["a"]]}"#,
          "input: a text or a list of texts was expected"
        ),
      ] {
        let answer = try await client.post(path, body)
        #expect(answer.message == message, "\(path) \(body)")
        #expect(answer.status == (path.hasPrefix("/v1") || path == "/classify" ? 400 : 422))
      }
    }
  }
}

extension Client.Answer {
  /// What an error says, in either shape.
  var message: String {
    object["error"] as? String ?? (object["error"] as? [String: Any])?["message"] as? String ?? ""
  }
  var param: String? { (object["error"] as? [String: Any])?["param"] as? String }
}

extension Dialect.Literal {
  fileprivate var json: String {
    switch self {
    case .flag(let value): "\(value)"
    case .number(let value): "\(value)"
    case .text(let value): "\"\(value)\""
    case .texts(let values): "[\(values.map { "\"\($0)\"" }.joined(separator: ","))]"
    }
  }
}
