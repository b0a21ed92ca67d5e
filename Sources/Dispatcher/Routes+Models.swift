internal import Foundation
internal import Manager
internal import Model

extension Dispatcher {
  /// The caller's vBERTs by name, a page of them.
  func models(_ query: ModelsQuery, _ caller: Caller) async throws -> Outcome {
    let (tenant, page) = (caller.tenant, query.limit)
    let after = query.after.map { VBertName($0, of: tenant.name) }
    let list = { @Sendable [registry] () async throws(RegistryError) in
      try await registry.list(prefix: "", tenant: tenant.name, after: after, limit: page + 1)
    }
    // A thousand specifications are read and decoded: not on a thread that others wait for.
    let found =
      if 1024 * page > RequestMemory.free {
        try await workers.run(caller.arrival, bytes: 1024 * page) { _ in try blocking(list) }
      } else {
        try await list()
      }
    let pieces = JSONItems.data(
      min(found.count, page), before: { $0.member("object", "list") },
      after: { $0.member("has_more", found.count > page) }
    ) { i, list in list.model(found[i], asked: tenant) }
    return Outcome(pieces)
  }

  func model(_ name: String, _ caller: Caller) async throws -> Outcome {
    var writer = JSONWriter()
    writer.model(try await record(name, caller), asked: caller.tenant)
    return Outcome(writer)
  }
}

/// Which of them: `limit`, at most 1000, of those after the one named `after`.
struct ModelsQuery: Sendable {
  private static let most = 1000
  let limit: Int
  let after: Name?

  /// `value` has what the query says under a name. Throws `APIError`.
  init(_ value: (String) -> String?) throws(APIError) {
    var limit = Self.most
    if let text = value("limit") {
      guard let number = Int(text), 1...Self.most ~= number else {
        throw .invalid("a number from 1 to \(Self.most) was expected", param: "limit")
      }
      limit = number
    }
    var after: Name?
    if let text = value("after") {
      do { after = try Name(text) } catch {
        throw .invalid(error.description, param: "after")
      }
    }
    (self.limit, self.after) = (limit, after)
  }
}

extension JSONWriter {
  /// OpenAI's members, then what a vBERT is. `asked`: whoever asks; another tenant's has that one's name too.
  mutating func model(_ record: VBertRecord, asked tenant: TenantRecord) {
    let name = record.name
    object { item in
      item.member("id", name.tenant == tenant.name ? name.name.text : name.full)
      item.member("object", "model")
      item.member("created", Int(record.created.timeIntervalSince1970))
      item.member("owned_by", name.tenant.text)
      item.member("task", record.spec.task.rawValue)
      item.member("base", record.spec.base)
      item.key("domain")
      if let domain = record.spec.domain { item.string(domain) } else { item.null() }
      item.member("adapter", record.spec.adapter.description)
      item.key("version")
      if let version = record.version { item.number(version.number) } else { item.null() }
      item.member("max_length", record.spec.maxLength)
      if let dimensions = record.spec.dimensions {
        item.key("dimensions")
        item.array { list in for size in dimensions { list.number(size) } }
      }
      item.key("labels")
      item.array { list in for label in record.spec.labels { list.string(label) } }
    }
  }
}
