internal import Foundation
internal import Manager
internal import Model

/// POST /v1/tenants.
struct NewTenantBody: ManagementBody {
  enum CodingKeys: String, CodingKey, CaseIterable { case name, weight }

  let name: Name
  /// Its share in the fair queue, relative to the others'.
  var weight: Double?
}

/// PUT /v1/tenants/{tenant}/quota: all of it; what is not there is as much as there is.
struct QuotaBody: ManagementBody {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case weight, burst, requests, sequences, vberts, bytes, trainings
    case tokensPerSecond = "tokens_per_second"
  }

  var weight, tokensPerSecond, burst: Double?
  var requests, sequences, vberts, bytes, trainings: Int?

  /// Throws `APIError`.
  func processor() throws(APIError) -> VirtualProcessor {
    let limits = VirtualProcessor.Limits(
      tokensPerSecond: tokensPerSecond, burst: burst, requests: requests, sequences: sequences,
      vberts: vberts, bytes: bytes, trainings: trainings)
    do { return try VirtualProcessor(weight: weight ?? 1, limits: limits) } catch {
      throw .invalid("\(error)", param: "quota")
    }
  }
}

extension Dispatcher {
  func setQuota(_ text: String, _ body: QuotaBody, _ caller: Caller) async throws -> Outcome {
    let (name, processor) = (try caller.tenant(asked: text), try body.processor())
    return try await managing(caller) {
      try await registry.set(processor: processor, of: name)
      return try Outcome(encoding: TenantAnswer(try await registry.tenant(named: name)))
    }
  }

  func tenants(_ page: ModelsQuery, _ caller: Caller) async throws -> Outcome {
    try await managing(caller) {
      let found = try await registry.listTenants(after: page.after, limit: page.limit + 1)
      let data = found.prefix(page.limit).map { TenantAnswer($0) }
      return try Outcome(encoding: Page(data: data, hasMore: found.count > page.limit))
    }
  }

  func tenant(_ text: String, _ caller: Caller) async throws -> Outcome {
    let name = try caller.tenant(asked: text)
    return try await managing(caller) {
      try Outcome(encoding: TenantAnswer(try await registry.tenant(named: name)))
    }
  }

  func createTenant(_ body: NewTenantBody, _ caller: Caller) async throws -> Outcome {
    let processor: VirtualProcessor
    do { processor = try body.weight.map { try VirtualProcessor(weight: $0) } ?? .standard } catch {
      throw APIError.invalid("\(error)", param: "weight")
    }
    return try await managing(caller) {
      let key = try await registry.createTenant(body.name, processor: processor)
      let made = try await registry.tenant(named: body.name)
      return try Outcome(encoding: TenantAnswer(made, key: key))
    }
  }

  /// `vberts`: with all that it owns, which keeps it otherwise.
  func deleteTenant(_ text: String, vberts: Bool, _ caller: Caller) async throws -> Outcome {
    let name = try caller.tenant(asked: text)
    return try await managing(caller) {
      try await registry.deleteTenant(name, vberts: vberts)
      return try Outcome(encoding: Deleted(id: name.text, object: "tenant"))
    }
  }

  /// What was changed, the newest first: the caller's own, or for the operator everybody's, or one's.
  func audit(_ query: AuditQuery, _ caller: Caller) async throws -> Outcome {
    let everybody = caller.isOperator && query.tenant == nil
    let tenant = everybody ? nil : try caller.tenant(asked: query.tenant)
    return try await managing(caller) {
      let found = try await registry.audit(
        of: tenant, before: query.before, limit: query.limit + 1)
      return try Outcome(
        encoding: Page(
          data: found.prefix(query.limit).map { ChangeAnswer($0) },
          hasMore: found.count > query.limit))
    }
  }
}

/// Which changes: `limit`, at most 1000, before the one of number `before`.
struct AuditQuery: Sendable {
  let tenant: String?
  let before: Int64?
  let limit: Int

  /// `value` has what the query says under a name. Throws `APIError`.
  init(_ value: (String) -> String?) throws(APIError) {
    func number(_ name: String, _ range: ClosedRange<Int64>) throws(APIError) -> Int64? {
      guard let text = value(name) else { return nil }
      guard let number = Int64(text), range.contains(number) else {
        throw .invalid(
          "a number from \(range.lowerBound) to \(range.upperBound) was expected", param: name)
      }
      return number
    }
    limit = Int(try number("limit", 1...1000) ?? 100)
    before = try number("before", 1...(.max))
    tenant = value("tenant")
  }
}

private struct TenantAnswer: Encodable {
  let object = "tenant"
  let id: String
  let weight: Double
  let quota: VirtualProcessor.Limits
  let keys: Int
  let createdAt: Date
  /// Its first one, of a new tenant alone.
  let key: String?

  init(_ record: TenantRecord, key: String? = nil) {
    (id, weight) = (record.name.text, record.processor.weight)
    quota = record.processor.limits
    (keys, createdAt) = (record.keys, record.created)
    self.key = key
  }
}

private struct ChangeAnswer: Encodable {
  let object = "change"
  let id: Int64
  let createdAt: Date
  let actor: String
  let action: String
  let tenant: String?
  let subject: String
  let detail: String

  init(_ record: AuditRecord) {
    (id, createdAt, actor) = (record.number, record.time, record.actor)
    (action, tenant) = (record.action, record.tenant?.text)
    (subject, detail) = (record.object, record.detail)
  }
}
