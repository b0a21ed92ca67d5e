internal import Files
internal import Foundation
internal import Manager

/// What comes of a batch, as it grows: a line for each request, of those that went well in one file and of the others
/// in a second. One thread at a time.
final class BatchOutput: @unchecked Sendable {
  private let files: UploadedFiles
  private let batch: BatchRecord
  private let output, errors: GrowingFile

  /// Goes on where `progress` says that both are whole: what is behind it was not known to be written. Throws what the
  /// disk says.
  init(_ batch: BatchRecord, in files: UploadedFiles) throws {
    (self.files, self.batch) = (files, batch)
    output = try files.grow(batch.output, from: batch.progress.output)
    errors = try files.grow(batch.errors, from: batch.progress.errors)
  }

  func append(_ answer: BatchAnswerLine, to progress: inout BatchProgress) throws {
    let line = answer.bytes
    if answer.isGood {
      try output.append(line)
      (progress.completed, progress.output) = (progress.completed + 1, progress.output + line.count)
    } else {
      try errors.append(line)
      (progress.failed, progress.errors) = (progress.failed + 1, progress.errors + line.count)
    }
  }

  /// All of it is on the disk when this returns.
  func flush() throws {
    try output.flush()
    try errors.flush()
  }

  /// Gives the files that have anything in them their names.
  func finish(_ progress: BatchProgress) throws -> [FileRecord] {
    try flush()
    var found: [FileRecord] = []
    let parts = [
      (batch.output, "output", progress.output, progress.completed),
      (batch.errors, "errors", progress.errors, progress.failed),
    ]
    for (id, what, bytes, rows) in parts {
      guard bytes > 0 else {
        files.removeGrowing(id)
        continue
      }
      try files.finish(id)
      found.append(
        FileRecord(
          id: id, tenant: batch.tenant, name: "\(batch.id)_\(what).jsonl", purpose: .batchOutput,
          byteCount: bytes, report: RowsReport(task: nil, rows: rows, endpoint: batch.endpoint),
          created: .now))
    }
    return found
  }
}

/// A request's answer as a line of OpenAI's.
struct BatchAnswerLine: Sendable {
  let bytes: [UInt8]
  let isGood: Bool

  /// `body` is JSON.
  init(_ id: String, customID: String, status: Int, body: [UInt8]) {
    var writer = JSONWriter(reserving: body.count + 256)
    writer.object { line in
      line.member("id", id)
      line.member("custom_id", customID)
      line.key("response")
      line.object { response in
        response.member("status_code", status)
        response.member("request_id", id)
        response.key("body")
        response.raw(body)
      }
      line.key("error")
      line.null()
    }
    bytes = writer.bytes + [UInt8(ascii: "\n")]
    isGood = 200..<300 ~= status
  }
}
