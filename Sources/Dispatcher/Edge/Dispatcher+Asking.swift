internal import HTTPTypes
internal import Hummingbird
internal import Model

extension Dispatcher {
  /// What vBERTs are asked: each route for whoever names one in the body, in the query or by the key, and once more
  /// behind the vBERT's own path.
  var asking: [Route] {
    watching + questions.map(\.route) + questions.map(\.route.prefixed) + own
  }

  private var watching: [Route] {
    [
      Route(.get, "/info", .tei, isOpen: true) { _ in info() },
      Route(.get, "/health", .tei, isOpen: true) { _ in try health() },
      Route(.get, "/metrics", .tei, isOpen: true) { _ in metricsPage() },
      Route(.get, "/openapi.json", .openAI, isOpen: true) { _ in
        Outcome(text: OpenAPIDocument.json, type: "application/json")
      },
      Route(.get, "/v1/models", .openAI) { call in
        try await models(ModelsQuery(call.query), call.caller)
      },
      Route(.get, "/models", .openAI) { call in
        try await models(ModelsQuery(call.query), call.caller)
      },
      Route(.get, "/v1/models/:model", .openAI) { call in
        try await model(call.part("model"), call.caller)
      },
    ]
  }

  /// What vBERTs are asked, each at a path of its own; batches ask the same.
  var questions: [Question] {
    [
      post("/embed", .tei, embed),
      post("/predict", .tei, predict),
      post("/tag", .tei, tag),
      post("/rerank", .tei, rerank),
      post("/similarity", .tei, similarity),
      post("/tokenize", .tei, tokenize),
      post("/classify", .openAI, classify),
      post("/v1/embeddings", .openAI, embeddings),
      post("/v1/rerank", .openAI, rerank),
      post("/v2/rerank", .openAI, rerank),
      // infinity's.
      post("/embeddings", .openAI, embeddings),
    ]
  }

  /// Of one vBERT's path, or the server's, alone: what clients of Hugging Face's inference, and those that look before
  /// they ask, find there.
  private var own: [Route] {
    [
      Route(.post, HTTPCall.prefix, .tei) { call in try await infer(call) },
      Route(.post, "/", .tei) { call in try await infer(call) },
      Route(.get, "\(HTTPCall.prefix)/info", .tei) { call in
        try await info(of: call.vbertName(), call.caller)
      },
      Route(.get, "\(HTTPCall.prefix)/health", .tei) { call in
        try await health(of: call.vbertName(), call.caller)
      },
      Route(.get, "\(HTTPCall.prefix)/v1/models", .openAI) { call in
        try await models(only: call.vbertName(), call.caller)
      },
      Route(.get, "\(HTTPCall.prefix)/models", .openAI) { call in
        try await models(only: call.vbertName(), call.caller)
      },
      Route(.get, "\(HTTPCall.prefix)/v1/models/:model", .openAI) { call in
        try await model(call.vbertName(inPath: call.part("model")), call.caller)
      },
    ]
  }

  private func post<Body: RequestBody>(
    _ path: String, _ family: Family,
    _ answer: @escaping @Sendable (Body, Caller) async throws -> Outcome
  ) -> Question {
    Question(
      route: Route(.post, path, family) { call in
        try await answer(body(call, at: path), call.caller)
      },
      ask: { value, caller in
        var body = try Body(value, at: path)
        body.vbertName = try caller.vbertName(
          body.vbertName.map { [Naming(place: .body, name: $0)] } ?? [])
        return try await answer(body, caller)
      })
  }
}

/// What vBERTs are asked at a route.
struct Question: Sendable {
  let route: Route
  /// The same of a body that came another way.
  let ask: @Sendable (JSONValue, Caller) async throws -> Outcome
}

extension Route {
  /// The same behind the path of a vBERT.
  fileprivate var prefixed: Route { Route(method, HTTPCall.prefix + path, family, answer) }
}
