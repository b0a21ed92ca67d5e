internal import Files
internal import Foundation
internal import Manager

/// A batch on its way through this process.
final class BatchRun {
  private let dispatcher: Dispatcher
  private let input: BatchFile?
  private let output: BatchOutput
  private var progress: BatchProgress
  /// Requests that are asked together: as many as fill what serving leaves, and not so many that they hold much.
  private static let (most, mostBytes) = (64, 1 << 16)

  struct End {
    let state: BatchState
    let error: String?
    let progress: BatchProgress
    let files: [FileRecord]
  }

  /// Throws what the disk says.
  init(_ batch: BatchRecord, _ dispatcher: Dispatcher) throws {
    self.dispatcher = dispatcher
    progress = batch.progress
    output = try BatchOutput(batch, in: dispatcher.files)
    let path = dispatcher.files.path(of: batch.input)
    // A disk that cannot be read now is no reason to end it.
    input =
      FileManager.default.fileExists(atPath: path)
      ? try BatchFile(path, longestLine: dispatcher.limits.batchLine) : nil
    try input?.skip(progress.done)
  }

  /// Answers for some time and writes down how far it came. Returns how it ended, where it did. Throws
  /// `CancellationError`, and what registry and disk say.
  func go(on batch: BatchRecord, until end: ContinuousClock.Instant) async throws -> End? {
    if batch.state == .cancelling { return try close(.cancelled) }
    if Date.now > batch.expires { return try close(.expired) }
    guard let input else { return try close(.failed, "its file is gone") }
    let tenant = try await dispatcher.registry.tenant(named: batch.tenant)
    repeat {
      let lines: [BatchLine]
      do { lines = try next(of: input) } catch let error where !error.isOfTheDisk {
        return try close(
          .failed, "\(error)".replacing(dispatcher.files.path(of: batch.input), with: "its file"))
      }
      if lines.isEmpty { return try close(.completed) }
      do {
        for answer in try await answers(to: lines, of: batch, tenant) {
          try output.append(answer, to: &progress)
        }
      } catch is BatchEnd {
        return try close(Date.now > batch.expires ? .expired : .cancelled)
      }
    } while ContinuousClock.now < end
    try output.flush()
    switch try await dispatcher.registry.note(progress, of: batch.number) {
    case .cancelling, .cancelled: return try close(.cancelled)
    default: return nil
    }
  }

  private func close(_ state: BatchState, _ error: String? = nil) throws -> End {
    End(state: state, error: error, progress: progress, files: try output.finish(progress))
  }

  private func next(of input: BatchFile) throws -> [BatchLine] {
    var (lines, bytes) = ([BatchLine](), 0)
    while lines.count < Self.most, bytes < Self.mostBytes, let line = try input.next() {
      lines.append(line)
      bytes += line.byteCount
    }
    return lines
  }

  /// In the order of the lines.
  private func answers(
    to lines: [BatchLine], of batch: BatchRecord, _ tenant: TenantRecord
  ) async throws -> [BatchAnswerLine] {
    let dispatcher = dispatcher
    let (id, expires) = (batch.id, batch.expires)
    return try await withThrowingTaskGroup(of: (Int, BatchAnswerLine).self) { group in
      for (place, line) in lines.enumerated() {
        group.addTask {
          let answer = try await dispatcher.answer(line, of: tenant) {
            let state = try await dispatcher.registry.batch(id, of: nil)?.state
            return state == .inProgress && .now < expires
          }
          return (place, answer)
        }
      }
      var found = [BatchAnswerLine?](repeating: nil, count: lines.count)
      for try await (place, answer) in group { found[place] = answer }
      return found.compactMap { $0 }
    }
  }
}

extension Error {
  /// And not of what was brought.
  fileprivate var isOfTheDisk: Bool {
    switch self as any Error {
    case ArchiveError.file, ArchiveError.noMemory, is FileError: true
    default: false
    }
  }
}
