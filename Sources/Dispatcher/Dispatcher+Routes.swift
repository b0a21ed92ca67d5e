internal import HTTPTypes

extension Dispatcher {
  /// Every route there is; docs/openapi.yaml is held against this list.
  var routes: [Route] {
    [
      Route(.get, "/info", .tei, isOpen: true, info),
      Route(.get, "/health", .tei, isOpen: true, health),
      Route(.get, "/metrics", .tei, isOpen: true, metricsPage),
      Route(.post, "/embed", .tei, embed),
      Route(.post, "/predict", .tei, predict),
      Route(.post, "/tag", .tei, tag),
      Route(.post, "/rerank", .tei, rerank),
      Route(.post, "/similarity", .tei, similarity),
      Route(.post, "/tokenize", .tei, tokenize),
      Route(.post, "/classify", .openAI, classify),
      Route(.post, "/v1/embeddings", .openAI, embeddings),
      Route(.get, "/v1/models", .openAI, models),
      Route(.get, "/v1/models/:model", .openAI, model),
    ]
  }
}
