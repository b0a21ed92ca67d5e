internal import Foundation
internal import Model
internal import Scheduler

extension Dispatcher {
  /// Text Embeddings Inference's /predict: labels with scores, the best first; entities from a tagger.
  @Sendable func predict(_ body: PredictBody, _ caller: Caller) async throws -> Outcome {
    let vbert = try await find(
      body.vbertName, caller, tasks: [.classify, .multilabel, .score, .tag])
    let isTagger = vbert.spec.task == .tag
    try body.check(vbert.name, task: vbert.spec.task.rawValue, isTagger: isTagger)
    if isTagger {
      guard body.inputs.items.allSatisfy({ $0.count == 1 }) else {
        throw APIError.wrongTask(
          "\(vbert.name) is a vBERT for tag: it takes texts, not pairs; ask it with \(ways(to: vbert))"
        )
      }
      return try await entities(
        vbert, body.inputs.items.map { .running($0[0]) }, isSingle: body.inputs.isSingle,
        body.tagging, body.reading, caller)
    }
    let answer = try await ask(
      vbert, body.inputs.items.map(TextInput.init), body.reading, caller)
    let write = { @Sendable (index: Int, writer: inout JSONWriter) in
      writer.labels(answer, index, body.function, most: body.topK)
    }
    let pieces = JSONItems(answer.replies.count, isSingle: body.inputs.isSingle, item: write)
    return Outcome(pieces, answer.fields)
  }

  /// vLLM's /classify, or infinity's.
  @Sendable func classify(_ body: ClassifyBody, _ caller: Caller) async throws -> Outcome {
    let vbert = try await find(body.vbertName, caller, tasks: [.classify, .multilabel])
    let answer = try await ask(
      vbert, body.input.texts.map(TextInput.text), body.reading, caller)
    if body.isInfinity { return Outcome(answer.lists(body.function), answer.fields) }
    let pieces = JSONItems.data(
      answer.replies.count,
      before: { writer in
        writer.member("id", "classify-\(UUID().uuidString.lowercased())")
        writer.member("object", "list")
        writer.member("created", Int(Date().timeIntervalSince1970))
        writer.member("model", vbert.name)
      },
      after: { $0.usage(answer.tokens) }
    ) { index, list in
      let values = answer.replies[index].values(vbert.spec.task, body.function)
      list.object { item in
        item.member("index", index)
        item.member("label", vbert.spec.label(answer.replies[index].order.first ?? 0))
        item.key("probs")
        item.numbers(values)
        item.member("num_classes", values.count)
      }
    }
    return Outcome(pieces, answer.fields)
  }
}

extension Answer {
  /// As infinity has them: all labels of every text.
  fileprivate func lists(_ function: ScoreFunction?) -> JSONItems {
    JSONItems.data(
      replies.count, before: { $0.member("object", "classify") },
      after: { writer in
        writer.member("model", vbert.name)
        writer.usage(tokens)
        writer.member("id", "classify-\(UUID().uuidString.lowercased())")
        writer.member("created", Int(Date().timeIntervalSince1970))
      }
    ) { index, list in list.labels(self, index, function) }
  }
}

extension JSONWriter {
  /// A text's labels with scores, the best first; `most` of them.
  fileprivate mutating func labels(
    _ answer: Answer, _ index: Int, _ function: ScoreFunction?, most: Int? = nil
  ) {
    let (reply, spec) = (answer.replies[index], answer.vbert.spec)
    let values = reply.values(spec.task, function)
    array { list in
      for i in reply.order.prefix(most ?? .max) {
        list.object { item in
          item.member("score", values[i])
          item.member("label", spec.label(i))
        }
      }
    }
  }
}

extension TextInput {
  /// One text, or a pair.
  fileprivate init(_ texts: [String]) {
    self = texts.count == 2 ? .pair(texts[0], texts[1]) : .text(texts.first ?? "")
  }
}

extension VBertSpec {
  func label(_ index: Int) -> String {
    index < labels.count ? labels[index] : task == .score ? "score" : "LABEL_\(index)"
  }
}

extension Reply {
  /// What the head says.
  fileprivate var outputs: [Float] {
    switch output {
    case .score(let score): [score]
    case .logits(let logits): logits
    case .vector, .words: []
    }
  }

  /// Of labels, the best first. By what the head says: all functions keep its order, but beyond some 17
  /// a sigmoid is 1 for float32, and what is equal then has no order of its own.
  var order: [Int] {
    let outputs = outputs
    return outputs.indices.sorted { outputs[$0] > outputs[$1] }
  }

  /// A value a label by the function that was asked for, or by the task's own: probabilities; a score is
  /// what it is.
  func values(_ task: VBertTask, _ function: ScoreFunction?) -> [Float] {
    let own: ScoreFunction =
      switch task {
      case .multilabel: .sigmoid
      case .score: .none
      case .classify, .tag, .embed: .softmax
      }
    return switch function ?? own {
    case .none: outputs
    case .sigmoid: Readout.sigmoids(outputs)
    case .softmax: Readout.softmax(outputs)
    }
  }
}
