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
      let values = answer.replies[index].values(vbert.spec.task, body.function)
      let best = answer.replies[index].order
      writer.array { list in
        for i in best.prefix(body.topK ?? .max) {
          list.object { item in
            item.member("score", values[i])
            item.member("label", vbert.spec.label(i))
          }
        }
      }
    }
    let pieces = JSONItems(answer.replies.count, isSingle: body.inputs.isSingle, item: write)
    return Outcome(pieces, answer.fields)
  }

  /// vLLM's /classify.
  @Sendable func classify(_ body: ClassifyBody, _ caller: Caller) async throws -> Outcome {
    let vbert = try await find(body.vbertName, caller, tasks: [.classify, .multilabel])
    let answer = try await ask(
      vbert, body.input.texts.map(TextInput.text), body.reading, caller)
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

  /// Texts in the order of what a scorer says of (query, text), the best first.
  @Sendable func rerank(_ body: RerankBody, _ caller: Caller) async throws -> Outcome {
    let vbert = try await find(body.vbertName, caller, tasks: [.score])
    if vbert.spec.input == .text {
      throw APIError.wrongTask(
        "\(vbert.name) learnt from single texts: to rank texts by a query it must learn from pairs "
          + "(text_pair); as it is, ask it with \(ways(to: vbert))")
    }
    // Before a query of megabytes is paired with thousands.
    try checkCount(body.texts.count)
    let answer = try await ask(
      vbert, body.texts.map { .pair(body.query, $0) }, body.reading, caller)
    let scores = answer.replies.map {
      $0.values(.score, body.raw ? ScoreFunction.none : .sigmoid)[0]
    }
    let outputs = answer.replies.map { $0.outputs[0] }
    let order = outputs.indices.sorted { outputs[$0] > outputs[$1] }
    let pieces = JSONItems(order.count) { place, list in
      let i = order[place]
      list.object { item in
        item.member("index", i)
        item.member("score", scores[i])
        if body.returnsText { item.member("text", body.texts[i]) }
      }
    }
    return Outcome(pieces, answer.fields)
  }
}

extension TextInput {
  /// One text, or a pair.
  fileprivate init(_ texts: [String]) {
    self = texts.count == 2 ? .pair(texts[0], texts[1]) : .text(texts.first ?? "")
  }
}

extension VBertSpec {
  fileprivate func label(_ index: Int) -> String {
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
  fileprivate var order: [Int] {
    let outputs = outputs
    return outputs.indices.sorted { outputs[$0] > outputs[$1] }
  }

  /// A value a label by the function that was asked for, or by the task's own: probabilities; a score is
  /// what it is.
  fileprivate func values(_ task: VBertTask, _ function: ScoreFunction?) -> [Float] {
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
