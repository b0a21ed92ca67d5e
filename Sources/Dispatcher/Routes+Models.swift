internal import Foundation
internal import Hummingbird
internal import Manager
internal import Model

extension Dispatcher {
  /// The caller's vBERTs by name, `limit` of them (at most 1000) after the one named `after`.
  @Sendable func models(_ call: Call) async throws -> Response {
    let query = call.request.uri.queryParameters
    let most = 1000
    var limit = most
    if let text = query["limit"] {
      guard let number = Int(text), 1...most ~= number else {
        throw APIError.invalid("a number from 1 to \(most) was expected", param: "limit")
      }
      limit = number
    }
    var after: Name?
    if let text = query["after"] {
      do { after = try Name(String(text)) } catch {
        throw APIError.invalid(error.description, param: "after")
      }
    }
    let (tenant, page) = (call.tenant, limit)
    // A thousand specifications are read and decoded: not on a thread that others wait for.
    let found = try await work(call, bytes: 1024 * page) { [registry, after] _ in
      try registry.list(tenant: tenant.id, after: after, limit: page + 1)
    }
    let pieces = JSONItems.data(
      min(found.count, page), before: { $0.member("object", "list") },
      after: { $0.member("has_more", found.count > page) }
    ) { i, list in list.model(found[i], tenant) }
    return Response(pieces, to: call, workers)
  }

  @Sendable func model(_ call: Call) async throws -> Response {
    let part = call.context.parameters.get("model") ?? ""
    let name = part.removingPercentEncoding ?? part
    var writer = JSONWriter()
    writer.model(try record(name, call), call.tenant)
    return Response(json: writer)
  }
}

extension JSONWriter {
  /// OpenAI's members, then what a vBERT is.
  fileprivate mutating func model(_ record: VBertRecord, _ tenant: TenantRecord) {
    object { item in
      item.member("id", record.name.text)
      item.member("object", "model")
      item.member("created", Int(record.created.timeIntervalSince1970))
      item.member("owned_by", tenant.name.text)
      item.member("task", record.spec.task.rawValue)
      item.member("base", record.spec.base)
      item.key("domain")
      if let domain = record.spec.domain { item.string(domain) } else { item.null() }
      item.member("adapter", record.spec.adapter.description)
      item.key("version")
      if let version = record.version { item.number(version.number) } else { item.null() }
      item.member("max_length", record.spec.maxLength)
      item.key("labels")
      item.array { list in for label in record.spec.labels { list.string(label) } }
    }
  }
}
