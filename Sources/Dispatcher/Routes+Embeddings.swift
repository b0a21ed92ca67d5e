internal import Foundation
internal import Hummingbird
internal import Model
internal import Scheduler

extension Dispatcher {
  /// Text Embeddings Inference's /embed.
  @Sendable func embed(_ call: Call) async throws -> Response {
    let body = try await body(call, as: EmbedBody.self)
    let answer = try await vectors(
      body.vbertName, body.inputs.texts, dimensions: body.dimensions, body.reading, call)
    let pieces = JSONItems(answer.replies.count) { i, list in
      list.numbers(
        answer.replies[i].vector(
          dimensions: body.dimensions?.count, normalize: body.normalize))
    }
    return Response(pieces, headers: answer.headers, to: call, workers)
  }

  /// OpenAI's /v1/embeddings.
  @Sendable func embeddings(_ call: Call) async throws -> Response {
    let body = try await body(call, as: EmbeddingsBody.self)
    let answer = try await vectors(
      body.vbertName, body.input.texts, dimensions: body.dimensions, body.reading, call)
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
    return Response(pieces, headers: answer.headers, to: call, workers)
  }

  /// Cosines of one sentence with others.
  @Sendable func similarity(_ call: Call) async throws -> Response {
    let body = try await body(call, as: SimilarityBody.self)
    guard !body.sentences.isEmpty else { throw APIError.empty }
    try checkCount(body.sentences.count + 1)
    let answer = try await vectors(
      body.vbertName, [body.source] + body.sentences, dimensions: nil, body.reading, call)
    let vectors = answer.replies.map { $0.vector(dimensions: nil, normalize: true) }
    var writer = JSONWriter()
    writer.array { list in
      for other in vectors.dropFirst() {
        list.number(zip(vectors[0], other).reduce(Float(0)) { $0 + $1.0 * $1.1 })
      }
    }
    return Response(json: writer, headers: answer.headers)
  }

  private func vectors(
    _ name: String?, _ texts: [String], dimensions: Dimensions?, _ reading: Reading, _ call: Call
  ) async throws -> Answer {
    let vbert = try find(name, call, tasks: [.embed])
    let hidden = try await pin(vbert, call).base.configuration.hiddenSize
    try dimensions?.check(hidden: hidden)
    return try await ask(vbert, texts.map(TextInput.text), reading, call)
  }
}

extension Reply {
  fileprivate func vector(dimensions: Int?, normalize: Bool) -> [Float] {
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
