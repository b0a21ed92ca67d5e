internal import Foundation
internal import Manager
internal import Model

/// POST /v1/vberts: what `vbert create` takes.
struct NewVBertBody: ManagementBody {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case name, task, tenant, base, domain, adapter, pooling, labels
    case maxLength = "max_length"
  }

  let name: Name
  let task: String
  var tenant, base, domain, adapter, pooling: String?
  var labels: [String]?
  var maxLength: Int?

  /// Throws `APIError`.
  func wish() throws(APIError) -> NewVBert {
    guard let task = VBertTask(rawValue: task) else {
      let all = VBertTask.allCases.map(\.rawValue).joined(separator: ", ")
      throw .invalid("one of \(all) was expected", param: "task")
    }
    for (member, text) in [("base", base), ("domain", domain), ("adapter", adapter)] {
      guard let text, text.utf8.count > Name.longest else { continue }
      throw .invalid("\(clipped(text)) is too long to be one", param: member)
    }
    let adapter: AdapterSpec?
    do { adapter = try self.adapter.map { try AdapterSpec(parsing: $0) } } catch {
      throw .invalid("\(error)", param: "adapter")
    }
    var wish = NewVBert(
      task: task, base: base, domain: domain, adapter: adapter, labels: labels ?? [],
      maxLength: maxLength)
    do { try pooling.map { try wish.pool(as: $0) } } catch {
      throw .invalid("\(error)", param: "pooling")
    }
    return wish
  }
}

/// POST /v1/vberts/{name}/rollback.
struct RollbackBody: ManagementBody {
  enum CodingKeys: String, CodingKey, CaseIterable { case version }

  let version: Int
}

/// POST /v1/vberts/{name}/give.
struct GiveBody: ManagementBody {
  enum CodingKeys: String, CodingKey, CaseIterable { case tenant }

  let tenant: Name
}

/// Which vBERTs: `limit`, at most 1000, of those whose names begin with `prefix`, after the one named `after`.
struct VBertsQuery: Sendable {
  let models: ModelsQuery
  let prefix: String
  let tenant: String?

  /// `value` has what the query says under a name. Throws `APIError`.
  init(_ value: (String) -> String?) throws(APIError) {
    (models, prefix, tenant) = (try ModelsQuery(value), value("prefix") ?? "", value("tenant"))
  }
}

extension Dispatcher {
  func vberts(_ query: VBertsQuery, _ caller: Caller) async throws -> Outcome {
    let tenant = try caller.tenant(asked: query.tenant)
    let (limit, after) = (query.models.limit, query.models.after)
    return try await managing(caller) {
      _ = try await registry.tenant(named: tenant)
      let found = try await registry.list(
        prefix: query.prefix, tenant: tenant, after: after.map { VBertName($0, of: tenant) },
        limit: limit + 1)
      return try Outcome(
        encoding: Page(
          data: found.prefix(limit).map { VBertAnswer($0, isListed: true) },
          hasMore: found.count > limit))
    }
  }

  /// With all its versions.
  func vbert(_ text: String, _ caller: Caller) async throws -> Outcome {
    let record = try await record(text, caller)
    return try await managing(caller) {
      let versions = try await registry.versions(of: record.name)
      return try Outcome(encoding: VBertAnswer(record, versions))
    }
  }

  func createVBert(_ body: NewVBertBody, _ caller: Caller) async throws -> Outcome {
    let tenant = try caller.tenant(asked: body.tenant)
    let wish = try body.wish()
    let name = VBertName(body.name, of: tenant)
    return try await managing(caller) {
      // Opening a base takes its time: not for what is refused anyway.
      guard try await registry.find(name) == nil else {
        throw RegistryError.vbertExists(name.text)
      }
      let spec: VBertSpec
      do {
        spec = try await wish.spec(BaseChoice(home: store.home, registry)).spec
      } catch let error as RegistryError { throw error } catch {
        throw APIError.invalid("\(error)", param: NewVBertBody.member(of: error))
      }
      return try Outcome(encoding: VBertAnswer(try await registry.create(vbert: name, spec: spec)))
    }
  }

  /// `object`: what its kind is called in the answer.
  func deleteVBert(_ text: String, as object: String, _ caller: Caller) async throws -> Outcome {
    let record = try await record(text, caller)
    return try await managing(caller) {
      try await store.delete(vbert: record.name)
      return try Outcome(encoding: Deleted(id: text, object: object))
    }
  }

  func rollback(_ text: String, _ body: RollbackBody, _ caller: Caller) async throws -> Outcome {
    let record = try await record(text, caller)
    return try await managing(caller) {
      try await registry.rollback(vbert: record.name, to: body.version)
      return try Outcome(encoding: VBertAnswer(try await registry.vbert(record.name)))
    }
  }

  func give(_ text: String, _ body: GiveBody, _ caller: Caller) async throws -> Outcome {
    let record = try await record(text, caller)
    return try await managing(caller) {
      try await registry.give(record.name, to: body.tenant)
      let given = VBertName(record.name.name, of: body.tenant)
      return try Outcome(encoding: VBertAnswer(try await registry.vbert(given)))
    }
  }
}

extension NewVBertBody {
  /// Which member the complaint is about.
  static func member(of error: any Error) -> String {
    switch error {
    case is BaseChoiceError, is BaseError: "base"
    case is PLOTError: "domain"
    case is NewVBertError: "pooling"
    case let error as SpecProblem:
      switch error {
      case .maxLength: "max_length"
      case .noLabels, .oneLabel, .tooManyLabels, .labelLength, .labelTwice, .canonicalTwins,
        .untold:
        "labels"
      case .noTags: "task"
      case .dimensions: "dimensions"
      }
    default: "name"
    }
  }
}

struct VBertAnswer: Encodable {
  let object = "vbert"
  let id: String
  let tenant: String
  let task: String
  let base: String
  let domain: String?
  let adapter: String
  let pooling: String
  let labels: [String]?
  let labelCount: Int
  let maxLength: Int
  let dimensions: [Int]?
  /// The one that answers now; none before it is trained.
  let version: Int?
  let createdAt: Date
  let versions: [VersionAnswer]?

  /// `isListed`: one of many, whose labels could be megabytes.
  init(_ record: VBertRecord, _ versions: [VersionRecord]? = nil, isListed: Bool = false) {
    (id, tenant) = (record.name.name.text, record.name.tenant.text)
    let spec = record.spec
    (task, base, domain) = (spec.task.rawValue, spec.base, spec.domain)
    (adapter, pooling) = (spec.adapter.description, spec.pooling.name)
    (labels, labelCount) = (isListed ? nil : spec.labels, spec.labels.count)
    (maxLength, dimensions) = (spec.maxLength, spec.dimensions)
    (version, createdAt) = (record.version?.number, record.created)
    self.versions = versions?.map(VersionAnswer.init)
  }
}

struct VersionAnswer: Encodable {
  let version: Int
  let adapter: String
  let bytes: Int
  let labels: [String]
  let metrics: [String: Double]
  let note: String
  let createdAt: Date

  init(_ record: VersionRecord) {
    (version, adapter) = (record.id.number, record.spec.adapter.description)
    (bytes, labels) = (record.blob?.byteCount ?? 0, record.spec.labels)
    (metrics, note, createdAt) = (record.metrics, record.note, record.created)
  }
}
