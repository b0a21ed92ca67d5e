internal import Foundation
internal import Model
internal import Scheduler

extension Dispatcher {
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
    let ranks = answer.ranks(raw: body.raw).prefix(body.most ?? .max)
    return Outcome(body.pieces(ranks, of: answer), answer.fields)
  }
}

/// A text's place in the request, and its score.
private struct Rank: Sendable {
  let index: Int
  let score: Float
}

extension Answer {
  /// The best first, by what the head says: beyond some 17 all sigmoids are 1.
  fileprivate func ranks(raw: Bool) -> [Rank] {
    let outputs = replies.map { $0.values(.score, ScoreFunction.none)[0] }
    let scores = replies.map { $0.values(.score, raw ? ScoreFunction.none : .sigmoid)[0] }
    return outputs.indices.sorted { outputs[$0] > outputs[$1] }
      .map { Rank(index: $0, score: scores[$0]) }
  }
}

extension RerankBody {
  fileprivate func pieces(_ ranks: ArraySlice<Rank>, of answer: Answer) -> JSONItems {
    switch shape {
    case .tei: JSONItems(ranks.count) { place, list in self.write(ranks[place], to: &list) }
    case .cohere, .infinity: lists(ranks, of: answer)
    }
  }

  /// Cohere's `results`, and the same again as `data`, where Voyage's clients look for them: bodies of the two cannot be
  /// told from each other.
  private func lists(_ ranks: ArraySlice<Rank>, of answer: Answer) -> JSONItems {
    let isInfinity = shape == .infinity
    return JSONItems(
      2 * ranks.count,
      opening: { writer in
        writer.open("{")
        writer.member("id", "rerank-\(UUID().uuidString.lowercased())")
        writer.member("object", isInfinity ? "rerank" : "list")
        writer.member("created", Int(Date().timeIntervalSince1970))
        writer.member("model", answer.vbert.name)
        writer.key("results")
        writer.open("[")
      },
      closing: { writer in
        writer.close("]")
        writer.usage(answer.tokens)
        writer.key("meta")
        writer.object { meta in
          meta.key("tokens")
          meta.object { tokens in
            tokens.member("input_tokens", answer.tokens)
            tokens.member("output_tokens", 0)
          }
        }
        writer.close("}")
      }
    ) { place, list in
      if place == ranks.count {
        list.close("]")
        list.key("data")
        list.open("[")
      }
      self.write(ranks[place % ranks.count], to: &list)
    }
  }

  private func write(_ rank: Rank, to list: inout JSONWriter) {
    list.object { item in
      item.member("index", rank.index)
      item.member(shape == .tei ? "score" : "relevance_score", rank.score)
      guard returnsText else { return }
      switch shape {
      case .tei: item.member("text", texts[rank.index])
      case .infinity: item.member("document", texts[rank.index])
      case .cohere:
        item.key("document")
        item.object { $0.member("text", texts[rank.index]) }
      }
    }
  }
}
