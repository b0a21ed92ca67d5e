internal import Foundation
private import Synchronization

/// Results, a JSON object a line: each is on the disk when it is known, so a run that was stopped
/// goes on with what is missing.
package final class AccuracyLog: Sendable {
  private struct State {
    var results: [AccuracyResult]
    let handle: FileHandle
  }

  private let state: Mutex<State>

  /// Opens or makes the file. A last line that was cut short is dropped. Throws `AccuracyError` for
  /// one that is no result, and what the disk says.
  package init(path: String) throws {
    if !FileManager.default.fileExists(atPath: path) {
      try Data().write(to: URL(filePath: path))
    }
    let (results, whole) = try AccuracyLog.read(path)
    let handle = try FileHandle(forWritingTo: URL(filePath: path))
    try handle.truncate(atOffset: UInt64(whole))
    try handle.seekToEnd()
    state = Mutex(State(results: results, handle: handle))
  }

  /// The results of a log that somebody else writes. Throws as `init`, and for a file that is not there.
  package static func results(path: String) throws -> [AccuracyResult] { try read(path).results }

  /// Of whole lines, and how many bytes these have.
  private static func read(_ path: String) throws -> (results: [AccuracyResult], whole: Int) {
    var results: [AccuracyResult] = []
    let bytes = try Data(contentsOf: URL(filePath: path))
    let whole = bytes.lastIndex(of: 0x0A).map { bytes[...$0] } ?? bytes[..<bytes.startIndex]
    for (number, line) in whole.split(separator: 0x0A).enumerated() {
      guard let result = try? JSONDecoder().decode(AccuracyResult.self, from: line) else {
        throw AccuracyError.damagedLog(path, line: number + 1)
      }
      results.append(result)
    }
    return (results, whole.count)
  }

  package var results: [AccuracyResult] { state.withLock(\.results) }

  /// `cell` and `seed`, which is also the number of the draw, for few rows; no cell for all rows.
  package func has(
    _ task: AccuracyTask, _ method: String, cell: FewRowsCell? = nil, seed: UInt64
  ) -> Bool {
    state.withLock { state in
      state.results.contains {
        $0.task == task.name && $0.kind == task.kind && $0.method == method && $0.seed == seed
          && $0.cell == cell
      }
    }
  }

  package func append(_ result: AccuracyResult) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = .sortedKeys
    let line = try encoder.encode(result) + Data([0x0A])
    try state.withLock { state in
      try state.handle.write(contentsOf: line)
      state.results.append(result)
    }
  }
}
