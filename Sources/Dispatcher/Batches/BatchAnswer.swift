internal import Foundation
internal import Manager
internal import Model

/// POST /v1/batches: OpenAI's members.
struct BatchBody: ManagementBody {
  enum CodingKeys: String, CodingKey, CaseIterable {
    case endpoint, metadata, tenant
    case input = "input_file_id"
    case window = "completion_window"
  }

  let endpoint: String
  let input: String
  let window: String
  var metadata: [String: String]?
  var tenant: String?
}

/// A batch in OpenAI's shape.
struct BatchAnswer: Encodable {
  private let batch: BatchRecord
  init(_ batch: BatchRecord) { self.batch = batch }

  private struct Counts: Encodable {
    let total, completed, failed: Int
  }

  private struct Problems: Encodable {
    struct Problem: Encodable {
      let code = "batch_failed"
      let message: String
    }
    let object = "list"
    let data: [Problem]
  }

  private enum Key: String, CodingKey {
    case id, object, endpoint, errors, inputFileId, completionWindow, status, outputFileId
    case errorFileId, createdAt, inProgressAt, expiresAt, finalizingAt, completedAt, failedAt
    case expiredAt, cancellingAt, cancelledAt, requestCounts, metadata, organizationId
  }

  /// What is not there yet is null, as OpenAI's clients expect.
  func encode(to encoder: any Encoder) throws {
    var object = encoder.container(keyedBy: Key.self)
    func put(_ value: (some Encodable)?, _ key: Key) throws {
      if let value {
        try object.encode(value, forKey: key)
      } else {
        try object.encodeNil(forKey: key)
      }
    }
    let done = batch.progress
    func finished(as state: BatchState) -> Date? { batch.state == state ? batch.finished : nil }
    func file(_ id: String, _ bytes: Int) -> String? { batch.state.isOver && bytes > 0 ? id : nil }
    try put(batch.id, .id)
    try put("batch", .object)
    try put(batch.endpoint, .endpoint)
    try put(batch.error.map { Problems(data: [.init(message: $0)]) }, .errors)
    try put(batch.input, .inputFileId)
    try put("24h", .completionWindow)
    try put(batch.state.rawValue, .status)
    try put(file(batch.output, done.output), .outputFileId)
    try put(file(batch.errors, done.errors), .errorFileId)
    try put(batch.created, .createdAt)
    try put(batch.started, .inProgressAt)
    try put(batch.expires, .expiresAt)
    // Files are there at once.
    try put(finished(as: .completed), .finalizingAt)
    try put(finished(as: .completed), .completedAt)
    try put(finished(as: .failed), .failedAt)
    try put(finished(as: .expired), .expiredAt)
    try put(batch.cancelling, .cancellingAt)
    try put(finished(as: .cancelled), .cancelledAt)
    try put(
      Counts(total: done.total, completed: done.completed, failed: done.failed), .requestCounts)
    try put(Metadata(batch.metadata), .metadata)
    try put(batch.tenant.text, .organizationId)
  }
}
