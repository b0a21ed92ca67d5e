internal import Foundation
internal import Model
internal import Scheduler

extension Dispatcher {
  /// Text Embeddings Inference's /embed.
  @Sendable func embed(_ body: EmbedBody, _ caller: Caller) async throws -> Outcome {
    let answer = try await vectors(
      body.vbertName, body.inputs.texts, dimensions: body.dimensions, body.reading, caller)
    let pieces = JSONItems(answer.replies.count) { i, list in
      list.numbers(
        answer.replies[i].vector(
          dimensions: body.dimensions?.count, normalize: body.normalize))
    }
    return Outcome(pieces, answer.fields)
  }

  /// OpenAI's /v1/embeddings.
  @Sendable func embeddings(_ body: EmbeddingsBody, _ caller: Caller) async throws -> Outcome {
    let answer = try await vectors(
      body.vbertName, body.input.texts, dimensions: body.dimensions, body.reading, caller)
    let pieces = JSONItems.data(
      answer.replies.count, before: { $0.member("object", "list") },
      after: { writer in
        writer.member("model", answer.vbert.name)
        writer.usage(answer.tokens)
      }
    ) { index, list in
      let vector = answer.replies[index].vector(
        dimensions: body.dimensions?.count, normalize: body.normalize)
      list.object { item in
        item.member("object", "embedding")
        item.member("index", index)
        item.key("embedding")
        if body.format == .base64 {
          item.string(vector.base64)
        } else {
          item.numbers(vector)
        }
      }
    }
    return Outcome(pieces, answer.fields)
  }

  /// Cosines of one sentence with others.
  @Sendable func similarity(_ body: SimilarityBody, _ caller: Caller) async throws -> Outcome {
    guard !body.sentences.isEmpty else { throw APIError.empty }
    try checkCount(body.sentences.count + 1)
    let answer = try await vectors(
      body.vbertName, [body.source] + body.sentences, dimensions: nil, body.reading, caller)
    let vectors = answer.replies.map { $0.vector(dimensions: nil, normalize: true) }
    var writer = JSONWriter()
    writer.array { list in
      for other in vectors.dropFirst() {
        list.number(zip(vectors[0], other).reduce(Float(0)) { $0 + $1.0 * $1.1 })
      }
    }
    return Outcome(writer, answer.fields)
  }

  private func vectors(
    _ name: String?, _ texts: [String], dimensions: Dimensions?, _ reading: Reading,
    _ caller: Caller
  ) async throws -> Answer {
    let vbert = try await find(name, caller, tasks: [.embed])
    let pin = try await pin(vbert, caller)
    try dimensions?.check(
      hidden: pin.base.configuration.hiddenSize, trained: vbert.spec.dimensions)
    return try await ask(vbert, texts.map(TextInput.text), reading, caller, on: pin)
  }
}

extension Reply {
  func vector(dimensions: Int?, normalize: Bool) -> [Float] {
    guard case .vector(let vector) = output else { return [] }
    return Readout.embedding(vector, dimensions: dimensions, normalize: normalize)
  }
}

extension [Float] {
  /// Little-endian, as OpenAI's clients read it.
  fileprivate var base64: String {
    var data = Data(capacity: 4 * count)
    for value in self {
      let bits = value.bitPattern
      for shift in [0, 8, 16, 24] as [UInt32] {
        data.append(UInt8(truncatingIfNeeded: bits >> shift))
      }
    }
    return data.base64EncodedString()
  }
}

extension JSONWriter {
  mutating func usage(_ tokens: Int) {
    key("usage")
    object { usage in
      usage.member("prompt_tokens", tokens)
      usage.member("total_tokens", tokens)
    }
  }
}
