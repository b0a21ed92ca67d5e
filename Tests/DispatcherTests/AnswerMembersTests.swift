import Compute
import Foundation
import Manager
import Model
import Scheduler
import ServingSupport
import Testing

@testable import Dispatcher

/// Members that say how an answer is made of what a head says.
@Suite(.timeLimit(.minutes(5))) struct AnswerMembersTests {
  private static func scores(_ answer: Client.Answer) -> [String: Double] {
    Dictionary(
      answer.objects.map { ($0["label"] as? String ?? "", $0["score"] as? Double ?? .nan) },
      uniquingKeysWith: { $1 })
  }

  private static func sigmoid(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

  @Test func theFunctionIsTheOneAskedFor() async throws {
    try await TinyServer().test { client in
      for model in ["topic", "tags", "similar"] {
        let inputs = model == "similar" ? #"["a", "cat"]"# : #""a red dog""#
        func ask(_ more: String) async throws -> [String: Double] {
          let body = #"{"model": "\#(model)", "inputs": \#(inputs)\#(more)}"#
          return Self.scores(try await client.post("/predict", body))
        }
        let raw = try await ask(#", "raw_scores": true"#)
        let sum = raw.values.map { exp($0) }.reduce(0, +)
        let sigmoids = raw.mapValues(Self.sigmoid)
        let softmax = raw.mapValues { exp($0) / sum }
        let own = model == "topic" ? softmax : model == "tags" ? sigmoids : raw
        for (more, expected) in [
          ("", own), (#", "function_to_apply": "none""#, raw),
          (#", "function_to_apply": "sigmoid""#, sigmoids),
          (#", "function_to_apply": "softmax""#, softmax),
          (#", "parameters": {"function_to_apply": "sigmoid"}"#, sigmoids),
          (#", "use_activation": false"#, raw), (#", "activation": false"#, raw),
          (#", "softmax": false"#, raw), (#", "use_activation": true"#, own),
          (#", "softmax": true"#, own), (#", "raw_scores": false"#, own),
          (#", "raw_scores": false, "function_to_apply": "sigmoid""#, sigmoids),
          (#", "raw_scores": true, "function_to_apply": "none""#, raw),
        ] {
          let found = try await ask(more)
          #expect(found.count == expected.count, "\(model) \(more)")
          for (label, score) in expected {
            #expect(abs((found[label] ?? .nan) - score) < 1e-5, "\(model) \(more) \(label)")
          }
        }
      }
    }
  }

  @Test func classifyAndRerankCanDoWithoutTheirFunction() async throws {
    try await TinyServer().test { client in
      func probabilities(_ more: String) async throws -> [Double] {
        let answer = try await client.post(
          "/classify", #"{"model": "mood", "input": "a dog"\#(more)}"#)
        return numbers((answer.object["data"] as? [[String: Any]])?.first?["probs"])
      }
      let own = try await probabilities("")
      let raw = try await probabilities(#", "use_activation": false"#)
      let sum = raw.map { exp($0) }.reduce(0, +)
      #expect(own.count == 2 && zip(own, raw).allSatisfy { abs($0 - exp($1) / sum) < 1e-5 })
      let infinity = try await client.post(
        "/classify", #"{"model": "mood", "input": "a dog", "raw_scores": true}"#)
      let labels = (infinity.object["data"] as? [[[String: Any]]])?.first ?? []
      #expect(labels.compactMap { $0["score"] as? Double } == raw.sorted(by: >))
      let sigmoids = try await probabilities(#", "function_to_apply": "sigmoid""#)
      #expect(zip(sigmoids, raw).allSatisfy { abs($0 - Self.sigmoid($1)) < 1e-5 })

      func ranks(_ more: String) async throws -> [Double] {
        let answer = try await client.post(
          "/rerank", #"{"model": "similar", "query": "a", "texts": ["b", "cat", "dog"]\#(more)}"#)
        return answer.objects.compactMap { $0["score"] as? Double }
      }
      let outputs = try await ranks(#", "use_activation": false"#)
      let (same, ordinary) = (try await ranks(#", "raw_scores": true"#), try await ranks(""))
      #expect(outputs.count == 3 && outputs == same)
      #expect(zip(ordinary, outputs).allSatisfy { abs($0 - Self.sigmoid($1)) < 1e-5 })
    }
  }

  @Test func theFirstLabelsAreTheBest() async throws {
    try await TinyServer().test { client in
      func ask(_ more: String) async throws -> Client.Answer {
        try await client.post("/predict", #"{"model": "topic", "inputs": "a red dog"\#(more)}"#)
      }
      let all = try await ask("").objects
      for (k, count) in [(1, 1), (2, 2), (3, 3), (1000, 3)] {
        for more in [#", "top_k": \#(k)"#, #", "parameters": {"top_k": \#(k)}"#] {
          let some = try await ask(more).objects
          #expect(
            some.map { $0["label"] as? String } == all.prefix(count).map { $0["label"] as? String })
        }
      }
      let several = try await client.post(
        "/predict", #"{"model": "topic", "inputs": [["a"], ["b"]], "top_k": 1}"#)
      #expect((several.json as? [[Any]])?.map(\.count) == [1, 1])
    }
  }

  /// Grades up to a hundred, or a sure multilabel vBERT: all sigmoids are 1, which says no order.
  @Test func theBestIsFirstWhereAllSigmoidsAreOne() async throws {
    let home = try TinyHome()
    try home.addAll()
    for (name, task, labels) in [
      ("grades", VBertTask.score, []), ("sure", .multilabel, ["a", "b", "c", "d"]),
    ] as [(Name, VBertTask, [String])] {
      let spec = TinyModel.spec(task, TinyHome.bottleneck, labels: labels)
      let shape = try home.bases.base(named: spec.base).configuration
      var adapter = try TinyModel.adapter(spec, shape, seed: 7)
      let bias = adapter.head?.bias?.map { $0 + 60 }
      adapter.head?.bias = bias
      try await home.store.create(
        vbert: VBertName(name), spec: spec, base: shape, adapter: adapter)
    }
    try await TinyServer(home: home).test { client in
      func ranks(_ more: String) async throws -> [[String: Any]] {
        try await client.post(
          "/rerank",
          #"{"model": "grades", "query": "a", "texts": ["b", "cat", "dog", "a red dog"]\#(more)}"#
        ).objects
      }
      let (raw, own) = (try await ranks(#", "raw_scores": true"#), try await ranks(""))
      #expect(own.count == 4 && own.allSatisfy { $0["score"] as? Double == 1 })
      #expect(own.map { $0["index"] as? Int } == raw.map { $0["index"] as? Int })
      #expect(raw.map { $0["index"] as? Int } != [0, 1, 2, 3])
      func labels(_ more: String) async throws -> [String?] {
        try await client.post("/predict", #"{"model": "sure", "inputs": "a red dog"\#(more)}"#)
          .objects.map { $0["label"] as? String }
      }
      let order = try await labels(#", "raw_scores": true"#)
      #expect(order != ["a", "b", "c", "d"])
      #expect(try await labels("") == order)
      #expect(try await labels(#", "top_k": 2"#) == Array(order.prefix(2)))
      let one = try await client.post("/classify", #"{"model": "sure", "input": "a red dog"}"#)
      #expect((one.object["data"] as? [[String: Any]])?.first?["label"] as? String == order[0])
    }
  }

  @Test func vectorsComeAsTheyAre() async throws {
    try await TinyServer().test { client in
      let raw = try await client.post(
        "/embed", #"{"model": "meaning", "inputs": "red dog", "normalize": false}"#)
      let openAI = try await client.post(
        "/v1/embeddings", #"{"model": "meaning", "input": "red dog", "normalize": false}"#)
      let vector = numbers((openAI.object["data"] as? [[String: Any]])?.first?["embedding"])
      #expect(
        vector.count == 32
          && zip(vector, numbers(raw.list.first)).allSatisfy { abs($0 - $1) < 1e-5 })
    }
  }

  /// Against Hugging Face's definitions, from the tagger's outputs at every token.
  @Test func wordsAreAggregatedAsHuggingFaceDoes() async throws {
    let server = try await TinyServer()
    let labels = ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]
    try await server.test { client in
      // cats, walked, runs: two tokens each; walkings: three.
      let text = "ann walked cats runs walkings big sats london"
      func ask(_ strategy: String) async throws -> [[String: Any]] {
        let answer = try await client.post(
          "/tag",
          #"{"model": "names", "inputs": "\#(text)", "aggregation_strategy": "\#(strategy)"}"#)
        #expect(answer.status == 200)
        return answer.objects
      }
      // Every token a word of its own gives nothing that could be compared: the tokens are asked for.
      let base = try server.home.bases.base(named: "tiny")
      let words = text.split(separator: " ").map(String.init)
      let encoding = base.tokenizer.encode(words: words)
      let vbert = try server.home.pinned("names")
      let reply = try await server.pipeline.intake.replies(
        to: [
          server.home.request(
            vbert, try TokenSequence(encoding, for: base.configuration),
            words: (0..<encoding.count).map { $0 })
        ], Arrival(tenant: 1, weight: 1, deadline: .now + .seconds(60)))
      guard case .words(let outputs)? = reply.first?.output else { throw CancellationError() }
      let softmax = outputs.map { row -> [Double] in
        let e = row.map { exp(Double($0)) }
        return e.map { $0 / e.reduce(0, +) }
      }
      func expected(_ pick: ([[Double]]) -> [Double]) -> [(label: String, score: Double)] {
        words.indices.map { word in
          let own = encoding.words.indices.filter { encoding.words[$0] == Int32(word) }.map {
            softmax[$0]
          }
          let scores = pick(own)
          let best = scores.indices.max { scores[$0] < scores[$1] } ?? 0
          return (labels[best], scores[best])
        }
      }
      let average = expected { rows in
        labels.indices.map { i in rows.reduce(0) { $0 + $1[i] } / Double(rows.count) }
      }
      let most = expected { rows in rows.max { ($0.max() ?? 0) < ($1.max() ?? 0) } ?? [] }
      let first = expected { $0[0] }
      #expect(
        Set([first, average, most].map { $0.map { "\($0)" } }).count == 3, "nothing is told apart")
      for (strategy, tags) in [
        ("first", first), ("simple", first), ("average", average), ("max", most),
      ] {
        let spans = TagScheme(.bio).spans(of: tags.map(\.label))
        let found = try await ask(strategy)
        #expect(found.map { $0["entity_group"] as? String } == spans.map(\.type), "\(strategy)")
        for (entity, span) in zip(found, spans) {
          let score = tags[span.words].reduce(0) { $0 + $1.score } / Double(span.words.count)
          #expect(abs((entity["score"] as? Double ?? 0) - score) < 1e-5, "\(strategy)")
          #expect(entity["word"] as? String == words[span.words].joined(separator: " "))
        }
      }
    }
  }

  @Test func labelsAreIgnored() async throws {
    try await TinyServer().test { client in
      func ask(_ more: String) async throws -> Client.Answer {
        try await client.post(
          "/tag", #"{"model": "names", "inputs": "ann , a cat in big london saw bob"\#(more)}"#)
      }
      let words = try await ask(#", "aggregation_strategy": "none""#).objects
      let tags = words.compactMap { $0["entity"] as? String }
      let some = try await ask(
        #", "aggregation_strategy": "none", "ignore_labels": ["\#(tags[0])"]"#)
      #expect(some.objects.count == tags.count { $0 != tags[0] })
      let (same, plain) = (try await ask(#", "ignore_labels": ["O"]"#), try await ask(""))
      #expect(same.text == plain.text)
      let none = try await ask(#", "ignore_labels": ["O", "PER", "LOC"]"#)
      #expect(none.status == 200 && none.text == "[]")
      let refused = try await ask(#", "parameters": {"ignore_labels": []}"#)
      #expect(
        refused.status == 422 && refused.message.hasPrefix("parameters.ignore_labels without"))
    }
  }
}
