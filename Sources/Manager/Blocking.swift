internal import Dispatch
internal import Synchronization

/// What `body` returns or throws, for a thread of ours that is no task: a lane's prefetch, a watch, a
/// worker. It waits here, and `body` runs on this very thread wherever it does not wait itself, so that
/// reading a file costs no switch and takes no thread of the cooperative pool.
///
/// Not for tasks, which `await`: one that blocks its thread holds up others. Used where a batch's
/// adapters are loaded, by the dispatcher's workers, a training's loop (which holds its thread as it is)
/// and the server's background threads, and nowhere else.
package func blocking<Value: Sendable, Failure: Error>(
  _ body: @escaping @Sendable () async throws(Failure) -> Value
) throws(Failure) -> Value {
  let thread = WaitingThread()
  let outcome = Outcome<Value, Failure>()
  _ = Task.detached(executorPreference: thread) {
    do throws(Failure) { outcome.set(.success(try await body())) } catch {
      outcome.set(.failure(error))
    }
  }
  while true {
    if let result = outcome.get() { return try result.get() }
    thread.runNext()
  }
}

/// Runs a task's pieces on the thread that waits for it.
private final class WaitingThread: TaskExecutor {
  private let jobs = Mutex<[UnownedJob]>([])
  private let arrived = DispatchSemaphore(value: 0)

  func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    jobs.withLock { $0.append(job) }
    arrived.signal()
  }

  func runNext() {
    arrived.wait()
    guard let job = jobs.withLock({ $0.isEmpty ? nil : $0.removeFirst() }) else { return }
    unsafe job.runSynchronously(on: asUnownedTaskExecutor())
  }
}

private final class Outcome<Value: Sendable, Failure: Error>: Sendable {
  private let result = Mutex<Result<Value, Failure>?>(nil)

  func set(_ value: Result<Value, Failure>) { result.withLock { $0 = value } }
  func get() -> Result<Value, Failure>? { result.withLock { $0 } }
}
