internal import Foundation
internal import Manager
internal import Model
internal import Scheduler

/// Which files or fine-tunings: `limit`, at most 1000, older than the one of the id `after`.
struct NewestQuery: Sendable {
  let limit: Int
  let after: String?
  let tenant: String?

  /// `value` has what the query says under a name. Throws `APIError`.
  init(_ value: (String) -> String?, most: Int = 1000, usual: Int) throws(APIError) {
    var limit = usual
    if let text = value("limit") {
      guard let number = Int(text), 1...most ~= number else {
        throw .invalid("a number from 1 to \(most) was expected", param: "limit")
      }
      limit = number
    }
    (self.limit, after, tenant) = (limit, value("after"), value("tenant"))
  }
}

extension Dispatcher {
  func files(_ query: NewestQuery, purpose: String?, _ caller: Caller) async throws -> Outcome {
    let tenant = try caller.tenant(asked: query.tenant)
    let known = purpose.flatMap(FilePurpose.init(rawValue:))
    if purpose != nil, known == nil {
      throw APIError.invalid("no file here has it", param: "purpose")
    }
    return try await managing(caller) {
      let found = try await registry.files(
        of: tenant, for: known, after: query.after, limit: query.limit + 1)
      let data = found.prefix(query.limit).map { FileAnswer($0) }
      return try Outcome(encoding: Page(data: data, hasMore: found.count > query.limit))
    }
  }

  func file(_ id: String, _ caller: Caller) async throws -> Outcome {
    try await managing(caller) { try Outcome(encoding: FileAnswer(try await found(id, caller))) }
  }

  func deleteFile(_ id: String, _ caller: Caller) async throws -> Outcome {
    try await managing(caller) {
      try await registry.delete(file: id, of: caller.reach)
      files.remove(id)
      return try Outcome(encoding: Deleted(id: id, object: "file"))
    }
  }

  /// The bytes as they were brought.
  func fileContent(_ id: String, _ caller: Caller) async throws -> Outcome {
    let record = try await managing(caller) { try await found(id, caller) }
    let path = files.path(of: record.id)
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw APIError.unservable(
        "the bytes of \(id) are gone; the server's operator must look", log: "\(path) is gone")
    }
    let (clerks, arrival) = (clerks, caller.patiently)
    let stream = ByteStream(type: "application/octet-stream", length: record.byteCount) {
      try await clerks.run(arrival, bytes: 1 << 16) { _ in
        (try handle.read(upToCount: 1 << 16)).map { [UInt8]($0) }
      }
    }
    return Outcome(stream)
  }

  private func found(_ id: String, _ caller: Caller) async throws -> FileRecord {
    guard let file = try await registry.file(id, of: caller.reach) else {
      throw RegistryError.noFile(id)
    }
    return file
  }

  /// Throws `APIError` where the disk takes nothing.
  func begin(_ id: String) throws -> Upload {
    do { return try files.begin(id) } catch { throw Self.diskProblem(error) }
  }

  func disk<Result>(_ body: () async throws -> Result) async throws -> Result {
    do { return try await body() } catch let error as BlobError { throw Self.diskProblem(error) }
  }

  private static func diskProblem(_ error: any Error) -> APIError {
    .unservable("the server's disk takes no file now; its operator must look", log: "\(error)")
  }

  /// Looks at the file's rows and writes it down.
  func keep(_ form: UploadedForm, as id: String, _ caller: Caller) async throws -> Outcome {
    try await disk {
      try await managing(caller) {
        let purpose = try form.end()
        let report = try report(on: files.path(of: id), for: purpose)
        let record = FileRecord(
          id: id, tenant: caller.tenant.name, name: form.fileName ?? "file", purpose: purpose,
          byteCount: form.byteCount, report: report, created: .now)
        try await registry.create(file: record)
        return try Outcome(encoding: FileAnswer(record))
      }
    }
  }
}

extension Dispatcher {
  /// Throws `APIError.invalid` for the first row or request that is wrong, `BlobError` for the disk's sake.
  private func report(on path: String, for purpose: FilePurpose) throws -> RowsReport {
    do {
      guard purpose == .batch else { return try rules.report(rows: path) }
      return try RowsReport(
        requests: path, longestLine: limits.batchLine, endpoints: batchEndpoints)
    } catch {
      guard error is BatchProblem || rules.isProblemOfRows(error) else {
        throw BlobError("\(error)")
      }
      throw APIError.invalid("\(error)", param: "file")
    }
  }
}

extension Caller {
  /// Whose files and fine-tunings it may name: its tenant's, or for the operator everybody's.
  var reach: Name? { isOperator ? nil : tenant.name }
}

private struct FileAnswer: Encodable {
  let object = "file"
  let id: String
  let bytes: Int
  let createdAt: Date
  let filename: String
  let purpose: String
  let status = "processed"
  let tenant: String
  let report: Report

  struct Report: Encodable {
    let task: String?
    let rows: Int
    let input: String?
    let labels: [Label]
    let labelCount: Int
    /// That the requests of a batch ask.
    let endpoint: String?
  }

  /// A list: labels are no member names, which are written in snake case.
  struct Label: Encodable {
    let label: String
    let rows: Int
  }

  init(_ record: FileRecord) {
    (id, bytes, createdAt) = (record.id, record.byteCount, record.created)
    (filename, purpose, tenant) = (record.name, record.purpose.rawValue, record.tenant.text)
    let found = record.report
    let labels = found.labels.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    report = Report(
      task: found.task?.rawValue, rows: found.rows, input: found.input?.rawValue,
      labels: labels.map { Label(label: $0.key, rows: $0.value) }, labelCount: found.labelCount,
      endpoint: found.endpoint)
  }
}
