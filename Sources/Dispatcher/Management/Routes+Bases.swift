internal import Foundation
internal import Manager
internal import Model

/// POST /v1/bases: what `vbert base import` takes, of the server's own machine.
struct NewBaseBody: ManagementBody {
  enum CodingKeys: String, CodingKey, CaseIterable { case name, path, paths }

  let name: String
  var path: String?
  /// Of a model that was cut in pieces, in their order.
  var paths: [String]?

  /// Throws `APIError`.
  func sources() throws(APIError) -> [String] {
    guard (path == nil) != (paths == nil) else {
      throw .invalid("path or paths was expected, one of them", param: "path")
    }
    let all = paths ?? path.map { [$0] } ?? []
    guard !all.isEmpty, all.allSatisfy({ $0.hasPrefix("/") }) else {
      throw .invalid("absolute paths of the server's machine were expected", param: "path")
    }
    return all
  }
}

extension Dispatcher {
  /// On which vBERTs may stand.
  func bases(_ caller: Caller) async throws -> Outcome {
    try await managing(caller) {
      let found = try BaseStore(home: store.home).list()
      return try Outcome(encoding: Page(data: found.map(BaseAnswer.init), hasMore: false))
    }
  }

  /// It takes as long as reading the model does: some seconds.
  func importBase(_ body: NewBaseBody, _ caller: Caller) async throws -> Outcome {
    let sources = try body.sources()
    return try await managing(caller) {
      do {
        let record = try BaseStore(home: store.home).importBase(from: sources, name: body.name)
        return try Outcome(encoding: BaseAnswer(record))
      } catch { throw APIError.invalid("\(error)", param: "path") }
    }
  }
}

private struct BaseAnswer: Encodable {
  let object = "base"
  let id: String
  var kind: String?
  var skip: Int?
  var distilled: Bool?
  var hash: String?
  var bytes: Int?
  var pooling: String?
  var maxLength: Int?
  var createdAt: Date?
  /// What is wrong with it.
  var error: String?

  init(_ record: BaseRecord) {
    (id, kind) = (record.name, record.kind.rawValue)
    (skip, distilled) = (record.skipDepth, record.distilled)
    (hash, bytes) = (record.contentHash, record.files.map { $0.reduce(0) { $0 + $1.bytes } })
    (pooling, maxLength) = (record.pooling?.name, record.maxLength)
    createdAt = record.created
  }

  private init(_ id: String, error: String) { (self.id, self.error) = (id, error) }

  init(_ entry: BaseStore.Entry) {
    switch entry.record {
    case .success(let record): self.init(record)
    case .failure(let problem): self.init(entry.name, error: "\(problem)")
    }
  }
}
