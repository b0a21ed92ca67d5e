internal import Foundation
internal import Manager
internal import Scheduler

extension Dispatcher {
  /// Answers batches with what serving leaves, one after the other in turns of some seconds, until the task is
  /// cancelled; `tell` hears why they are not. What a turn has done is kept: whoever comes after a kill goes on behind it. Of several servers on a home
  /// one does it.
  package func runBatches(tell: @Sendable (String) -> Void) async {
    let runner = BatchRunner(self)
    while !Task.isCancelled {
      do {
        guard let lock = try store.home.lock("batches") else {
          try await Task.sleep(for: .seconds(5))
          continue
        }
        while try await runner.turn() {}
        withExtendedLifetime(lock) {}
      } catch is CancellationError { return } catch {
        if faults.isDue("batches: \(error)") { tell("\(error)") }
      }
      runner.forget()
      try? await Task.sleep(for: .seconds(1))
    }
  }
}

/// One turn after the other.
private final class BatchRunner {
  private let dispatcher: Dispatcher
  private var open: [Int64: BatchRun] = [:]
  private static let (turn, idle): (Duration, Duration) = (.seconds(2), .milliseconds(500))
  /// Batches of which the files are kept open between their turns.
  private static let mostOpen = 16

  init(_ dispatcher: Dispatcher) { self.dispatcher = dispatcher }

  func forget() { open = [:] }

  /// Throws `CancellationError`, and what the registry does: then nothing is done that was not written down.
  func turn() async throws -> Bool {
    try Task.checkCancellation()
    let registry = dispatcher.registry
    guard let batch = try await registry.nextBatch() else {
      forget()
      try await Task.sleep(for: Self.idle)
      return true
    }
    if open.count > Self.mostOpen { forget() }
    do {
      let run = try open[batch.number] ?? BatchRun(batch, dispatcher)
      open[batch.number] = run
      let end = try await run.go(on: batch, until: .now + Self.turn)
      if let end {
        open[batch.number] = nil
        try await registry.end(
          batch: batch.number, as: end.state, error: end.error, end.progress, files: end.files)
      }
    } catch {
      open[batch.number] = nil
      throw error
    }
    return true
  }
}
