import Foundation
import Testing

@testable import Dispatcher

/// What clients do that they were not told to: token ids, empty texts, members of other routes.
@Suite(.timeLimit(.minutes(5))) struct ClientHabitTests {
  /// LangChain's OpenAIEmbeddings sends token ids unless it is told not to.
  @Test func tokenIdsAreToldHowToBecomeTexts() async throws {
    try await TinyServer().test { client in
      for (path, model) in [
        ("/v1/embeddings", "meaning"), ("/embeddings", "meaning"), ("/classify", "mood"),
      ] {
        for input in ["[1, 2]", "[[1, 2], [3]]", "[[1]]"] {
          for place in ["\"input\": \(input)"] {
            let answer = try await client.post(path, #"{"model": "\#(model)", \#(place)}"#)
            #expect(answer.status == 400 && answer.param == "input", "\(answer.text)")
            #expect(answer.message.contains("check_embedding_ctx_length=False"))
          }
        }
        let odd = try await client.post(path, #"{"model": "\#(model)", "input": ["a", 1]}"#)
        #expect(odd.message == "input[1]: text was expected, and this is a number")
      }
    }
  }

  /// One empty text refuses all, as it does with TEI and OpenAI, and says which.
  @Test func anEmptyTextIsNamed() async throws {
    try await TinyServer().test { client in
      for (path, body, index) in [
        ("/embed", #"{"model": "meaning", "inputs": ["a", "", "b"]}"#, 1),
        ("/m/meaning", #"{"inputs": ["a", "b", ""]}"#, 2),
        ("/v1/embeddings", #"{"model": "meaning", "input": ["", "b"]}"#, 0),
        ("/v1/embeddings", #"{"model": "meaning", "input": ""}"#, 0),
        ("/classify", #"{"model": "mood", "input": ["a", ""]}"#, 1),
        ("/predict", #"{"model": "topic", "inputs": [["a"], [""]]}"#, 1),
        ("/m/topic", #"{"inputs": ["a", ""]}"#, 1),
        ("/tag", #"{"model": "names", "inputs": ["", "a"]}"#, 0),
        ("/tag", #"{"model": "names", "inputs": [["a"], []]}"#, 1),
        (
          "/similarity",
          #"{"model": "meaning", "inputs": {"source_sentence": "a", "sentences": ["b", ""]}}"#, 2
        ),
      ] {
        let answer = try await client.post(path, body)
        #expect(answer.status == 400, "\(path) \(body): \(answer.text)")
        #expect(answer.message == "text \(index) is empty: leave it out, or give it words")
      }
    }
  }

  /// What changes an answer somewhere is honoured or refused by its name everywhere, behind a vBERT's path too.
  @Test func membersAreHonouredOrRefusedInAllRoutes() async throws {
    let members: [(name: String, value: String)] = [
      ("candidate_labels", #"["x", "y"]"#), ("prompt_name", #""query""#), ("top_k", "1"),
      ("aggregation_strategy", #""max""#), ("function_to_apply", #""none""#),
      ("truncate_prompt_tokens", "4"), ("activation", "false"), ("use_activation", "false"),
      ("normalize", "false"), ("dimensions", "3"), ("top_n", "1"), ("input_type", #""query""#),
      ("encoding_format", #""base64""#), ("return_text", "true"), ("ignore_labels", #"["O"]"#),
    ]
    let own: [(Dialect, String)] = [
      (.embed, #"{"inputs": "the red dog sat on a mat""#),
      (.predict, #"{"inputs": "the red dog sat on a mat""#),
      (.tag, #"{"inputs": "ann went to paris with a cat""#),
    ]
    let models = ["meaning", "topic", "names"]
    try await TinyServer().test { client in
      var asked = DialectTests.bodies.map { dialect, body -> (Dialect, String, String) in
        let name = body.firstMatch(of: /"model": "([a-z]+)"/).map { String($0.1) } ?? ""
        let bare = body.replacing("\"model\": \"\(name)\", ", with: "")
        return (dialect, "/m/\(name)\(dialect.path)", bare)
      }
      asked += zip(own, models).map { ($0.0, "/m/\($1)", $0.1) }
      for (dialect, path, body) in asked {
        for (name, value) in members {
          let answer = try await client.post(path, "\(body), \"\(name)\": \(value)}")
          if answer.status == 200 {
            #expect(dialect.honoured.contains(name), "\(path) \(name)")
          } else {
            #expect([400, 422].contains(answer.status), "\(path) \(name): \(answer.text)")
            #expect(answer.message.hasPrefix(name), "\(path) \(name): \(answer.message)")
          }
        }
      }
    }
  }
}
