internal import Foundation
internal import HTTPTypes
internal import Hummingbird

extension Dispatcher {
  /// Every route there is; docs/openapi.yaml is held against this list.
  var routes: [Route] {
    [
      Route(.get, "/info", .tei, isOpen: true) { _ in info() },
      Route(.get, "/health", .tei, isOpen: true) { _ in try health() },
      Route(.get, "/metrics", .tei, isOpen: true) { _ in metricsPage() },
      post("/embed", .tei, embed),
      post("/predict", .tei, predict),
      post("/tag", .tei, tag),
      post("/rerank", .tei, rerank),
      post("/similarity", .tei, similarity),
      post("/tokenize", .tei, tokenize),
      post("/classify", .openAI, classify),
      post("/v1/embeddings", .openAI, embeddings),
      Route(.get, "/v1/models", .openAI) { call in
        let query = call.request.uri.queryParameters
        return try await models(
          ModelsQuery { query[Substring($0)].map { String($0) } }, call.caller)
      },
      Route(.get, "/v1/models/:model", .openAI) { call in
        let part = call.context.parameters.get("model") ?? ""
        return try await model(part.removingPercentEncoding ?? part, call.caller)
      },
    ]
  }

  private func post<Body: RequestBody>(
    _ path: String, _ family: Family,
    _ answer: @escaping @Sendable (Body, Caller) async throws -> Outcome
  ) -> Route {
    Route(.post, path, family) { call in try await answer(body(call), call.caller) }
  }
}
