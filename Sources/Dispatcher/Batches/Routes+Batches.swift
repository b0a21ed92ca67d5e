internal import Foundation
internal import Manager
internal import Model

extension Dispatcher {
  /// Where batches may ask.
  var batchEndpoints: [String] { questions.map(\.route.path) }

  func createBatch(_ body: BatchBody, _ caller: Caller) async throws -> Outcome {
    let tenant = try caller.tenant(asked: body.tenant)
    // It asks for whoever made it.
    if let key = caller.key, !key.scopes.allows(.predict) {
      throw APIError.forbidden(
        key: key.label.text, has: key.scopes.names, needs: Scope.predict.rawValue)
    }
    guard body.window == "24h" else {
      throw APIError.invalid("\"24h\" was expected", param: "completion_window")
    }
    let metadata = body.metadata ?? [:]
    try Metadata(metadata).check()
    return try await managing(caller) {
      guard let file = try await registry.file(body.input, of: tenant), file.purpose == .batch
      else {
        throw APIError.invalid(
          "there is no file \(clipped(body.input)) that was brought with the purpose batch",
          param: "input_file_id")
      }
      guard file.report.endpoint == body.endpoint else {
        throw APIError.invalid(
          "the requests of \(file.id) ask \(file.report.endpoint ?? "nothing")", param: "endpoint")
      }
      let new = NewBatch(
        tenant: tenant, endpoint: body.endpoint, input: body.input, metadata: metadata)
      return try Outcome(encoding: BatchAnswer(try await registry.create(new)))
    }
  }

  func batches(_ query: NewestQuery, _ caller: Caller) async throws -> Outcome {
    let tenant = try caller.tenant(asked: query.tenant)
    return try await managing(caller) {
      let found = try await registry.batches(
        of: tenant, after: query.after, limit: query.limit + 1)
      let data = found.prefix(query.limit).map { BatchAnswer($0) }
      return try Outcome(encoding: Page(data: data, hasMore: found.count > query.limit))
    }
  }

  func batch(_ id: String, _ caller: Caller) async throws -> Outcome {
    try await managing(caller) {
      guard let batch = try await registry.batch(id, of: caller.reach) else {
        throw RegistryError.noBatch(id)
      }
      return try Outcome(encoding: BatchAnswer(batch))
    }
  }

  func cancelBatch(_ id: String, _ caller: Caller) async throws -> Outcome {
    try await managing(caller) {
      try Outcome(encoding: BatchAnswer(try await registry.cancel(batch: id, of: caller.reach)))
    }
  }
}
