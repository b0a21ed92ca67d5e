internal import Foundation
internal import Hummingbird
internal import Model
internal import Scheduler

extension Dispatcher {
  /// Text Embeddings Inference's /predict: labels with scores, the best first; entities from a tagger.
  @Sendable func predict(_ call: Call) async throws -> Response {
    let body = try await body(call, as: PredictBody.self)
    let vbert = try find(
      body.vbertName, call, tasks: [.classify, .multilabel, .score, .tag],
      hint: "ask it with /embed or /v1/embeddings")
    if vbert.spec.task == .tag {
      guard body.inputs.items.allSatisfy({ $0.count == 1 }) else {
        throw APIError.wrongTask("\(vbert.name) is a vBERT for tag: it takes texts, not pairs")
      }
      return try await entities(
        vbert, body.inputs.items.map { .text($0[0]) }, isSingle: body.inputs.isSingle,
        aggregation: .simple, truncate: body.truncate, call)
    }
    let answer = try await ask(
      vbert, body.inputs.items.map(SequenceInput.init), truncate: body.truncate, call)
    let write = { @Sendable (index: Int, writer: inout JSONWriter) in
      let values = answer.replies[index].values(vbert.spec.task, raw: body.raw_scores ?? false)
      writer.array { list in
        for i in values.indices.sorted(by: { values[$0] > values[$1] }) {
          list.object { item in
            item.member("score", values[i])
            item.member("label", vbert.spec.label(i))
          }
        }
      }
    }
    let pieces = JSONItems(answer.replies.count, isSingle: body.inputs.isSingle, item: write)
    return Response(pieces, headers: answer.headers, to: call, workers)
  }

  /// vLLM's /classify.
  @Sendable func classify(_ call: Call) async throws -> Response {
    let body = try await body(call, as: ClassifyBody.self)
    let vbert = try find(
      body.vbertName, call, tasks: [.classify, .multilabel],
      hint: "ask it with /predict, /tag or /v1/embeddings")
    let answer = try await ask(
      vbert, body.input.texts.map(SequenceInput.text), truncate: body.truncate, call)
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
      let probabilities = answer.replies[index].values(vbert.spec.task, raw: false)
      list.object { item in
        item.member("index", index)
        item.member("label", vbert.spec.label(Readout.best(probabilities) ?? 0))
        item.key("probs")
        item.numbers(probabilities)
        item.member("num_classes", probabilities.count)
      }
    }
    return Response(pieces, headers: answer.headers, to: call, workers)
  }

  /// Texts in the order of what a scorer says of (query, text), the best first.
  @Sendable func rerank(_ call: Call) async throws -> Response {
    let body = try await body(call, as: RerankBody.self)
    let vbert = try find(
      body.vbertName, call, tasks: [.score], hint: "only a score vBERT ranks; see /predict, /embed")
    if vbert.spec.input == .text {
      throw APIError.wrongTask(
        "\(vbert.name) learnt from single texts: to rank texts by a query it must learn from pairs (text_pair)"
      )
    }
    // Before a query of megabytes is paired with thousands.
    try checkCount(body.texts.count)
    let answer = try await ask(
      vbert, body.texts.map { .pair(body.query, $0) }, truncate: body.truncate, call)
    let scores = answer.replies.map { reply in
      let values = reply.values(.score, raw: true)
      return body.raw_scores ?? false ? values[0] : Readout.sigmoids(values)[0]
    }
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    let pieces = JSONItems(order.count) { place, list in
      let i = order[place]
      list.object { item in
        item.member("index", i)
        item.member("score", scores[i])
        if body.return_text ?? false { item.member("text", body.texts[i]) }
      }
    }
    return Response(pieces, headers: answer.headers, to: call, workers)
  }
}

extension SequenceInput {
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
  /// A value a label: probabilities, or the head's outputs as they are. A score is what it is.
  fileprivate func values(_ task: Task, raw: Bool) -> [Float] {
    switch output {
    case .score(let score): [score]
    case .logits(let logits) where raw: logits
    case .logits(let logits):
      task == .multilabel ? Readout.sigmoids(logits) : Readout.softmax(logits)
    case .vector, .words: []
    }
  }
}
