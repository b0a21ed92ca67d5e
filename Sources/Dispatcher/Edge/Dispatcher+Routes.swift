internal import Foundation
internal import HTTPTypes
internal import Hummingbird
internal import Manager

extension Dispatcher {
  /// Every route there is; docs/openapi.yaml is held against this list.
  var routes: [Route] { asking + inferring + managing + fineTuning + batching }

  /// What there is, and who may do what.
  private var managing: [Route] {
    [
      Route(.delete, "/v1/models/:model", .openAI, for: .manage) { call in
        try await deleteVBert(call.part("model"), as: "model", call.caller)
      },
      Route(.get, "/v1/vberts", .openAI) { call in
        try await vberts(VBertsQuery(call.query), call.caller)
      },
      change(.post, "/v1/vberts", for: .manage) { try await createVBert($0, $1.caller) },
      Route(.post, "/v1/vberts/import", .openAI, for: .manage) { try await importVBert($0) },
      Route(.get, "/v1/vberts/:vbert/export", .openAI, for: .manage) { call in
        try await export(call.part("vbert"), version: call.query("version"), call.caller)
      },
      Route(.get, "/v1/vberts/:vbert", .openAI) { call in
        try await vbert(call.part("vbert"), call.caller)
      },
      Route(.delete, "/v1/vberts/:vbert", .openAI, for: .manage) { call in
        try await deleteVBert(call.part("vbert"), as: "vbert", call.caller)
      },
      change(.post, "/v1/vberts/:vbert/rollback", for: .manage) {
        try await rollback($1.part("vbert"), $0, $1.caller)
      },
      change(.post, "/v1/vberts/:vbert/give", for: .admin) {
        try await give($1.part("vbert"), $0, $1.caller)
      },
      Route(.get, "/v1/keys", .openAI, for: .manage) { call in
        try await keys(ModelsQuery(call.query), call.query("tenant"), call.caller)
      },
      change(.post, "/v1/keys", for: .manage) {
        try await createKey($0, $1.caller)
      },
      Route(.delete, "/v1/keys/:label", .openAI, for: .manage) { call in
        try await revokeKey(call.part("label"), call.query("tenant"), call.caller)
      },
      change(.post, "/v1/keys/:label/rotate", for: .manage) {
        try await rotateKey($1.part("label"), $0, $1.caller)
      },
      Route(.get, "/v1/tenants", .openAI, for: .admin) { call in
        try await tenants(ModelsQuery(call.query), call.caller)
      },
      change(.post, "/v1/tenants", for: .admin) {
        try await createTenant($0, $1.caller)
      },
      Route(.get, "/v1/tenants/:tenant", .openAI, for: .manage) { call in
        try await tenant(call.part("tenant"), call.caller)
      },
      change(.put, "/v1/tenants/:tenant/quota", for: .admin) {
        try await setQuota($1.part("tenant"), $0, $1.caller)
      },
      Route(.delete, "/v1/tenants/:tenant", .openAI, for: .admin) { call in
        try await deleteTenant(
          call.part("tenant"), vberts: call.flag("vberts"), call.caller)
      },
      Route(.get, "/v1/bases", .openAI, for: .manage) { try await bases($0.caller) },
      change(.post, "/v1/bases", for: .admin) { try await importBase($0, $1.caller) },
      Route(.get, "/v1/usage", .openAI, for: .manage) { call in
        try await usage(UsageQuery(call.query), call.caller)
      },
      Route(.get, "/v1/audit", .openAI, for: .manage) { call in
        try await audit(AuditQuery(call.query), call.caller)
      },
    ]
  }

  /// Files, and what learns from them.
  private var fineTuning: [Route] {
    let jobs = "/v1/fine_tuning/jobs"
    return [
      Route(.post, "/v1/files", .openAI, for: .train) { try await createFile($0) },
      Route(.get, "/v1/files", .openAI, for: .train) { call in
        try await files(
          NewestQuery(call.query, most: 10_000, usual: 1000), purpose: call.query("purpose"),
          call.caller)
      },
      Route(.get, "/v1/files/:file", .openAI, for: .train) { call in
        try await file(call.part("file"), call.caller)
      },
      Route(.delete, "/v1/files/:file", .openAI, for: .train) { call in
        try await deleteFile(call.part("file"), call.caller)
      },
      Route(.get, "/v1/files/:file/content", .openAI, for: .train) { call in
        try await fileContent(call.part("file"), call.caller)
      },
      change(.post, jobs, for: .train) { try await createFineTuning($0, $1.caller) },
      Route(.get, jobs, .openAI, for: .train) { call in
        try await fineTunings(NewestQuery(call.query, usual: 20), call.caller)
      },
      Route(.get, jobs + "/:job", .openAI, for: .train) { call in
        try await fineTuning(call.part("job"), call.caller)
      },
      Route(.get, jobs + "/:job/events", .openAI, for: .train) { call in
        let job = call.part("job")
        guard try call.flag("stream") else {
          return try await events(job, NewestQuery(call.query, usual: 20), call.caller)
        }
        return try await eventStream(job, last: call.lastEvent, call.caller)
      },
      Route(.get, jobs + "/:job/checkpoints", .openAI, for: .train) { call in
        try await checkpoints(call.part("job"), call.caller)
      },
      asked(jobs, .cancel), asked(jobs, .pause), asked(jobs, .resume),
    ]
  }

  private var batching: [Route] {
    [
      change(.post, "/v1/batches", for: .train) { try await createBatch($0, $1.caller) },
      Route(.get, "/v1/batches", .openAI, for: .train) { call in
        try await batches(NewestQuery(call.query, usual: 20), call.caller)
      },
      Route(.get, "/v1/batches/:batch", .openAI, for: .train) { call in
        try await batch(call.part("batch"), call.caller)
      },
      Route(.post, "/v1/batches/:batch/cancel", .openAI, for: .train) { call in
        try await cancelBatch(call.part("batch"), call.caller)
      },
    ]
  }

  private func asked(_ jobs: String, _ what: FineTuningChange) -> Route {
    Route(.post, "\(jobs)/:job/\(what.rawValue)", .openAI, for: .train) { call in
      try await change(call.part("job"), what, call.caller)
    }
  }

  private func change<Body: ManagementBody>(
    _ method: HTTPRequest.Method, _ path: String, for scope: Scope,
    _ answer: @escaping @Sendable (Body, HTTPCall) async throws -> Outcome
  ) -> Route {
    Route(method, path, .openAI, for: scope) { call in
      try await answer(managementBody(call), call)
    }
  }
}
