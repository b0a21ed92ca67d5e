internal import Dispatch
internal import Foundation
internal import Glibc
internal import Scheduler
internal import Synchronization

/// A few threads for work that would hold up an event loop or the cooperative pool: parsing and
/// tokenising what is large. Fair between tenants by bytes: small work of one passes large work of
/// another, and large work comes in pieces. Who waits is answered when its time is up or its
/// connection gone.
///
/// The threads give way to those that compute (nice 5), start with the first work and end with the
/// owner.
final class Workers: Sendable {
  private struct Job: Sendable {
    let run: @Sendable () -> Void
    let fail: @Sendable (ServingError) -> Void
  }

  private final class Room: Sendable {
    struct State {
      var queue: FairQueue<Job>
      var threads = 0
      var isOver = false
    }
    let state: Mutex<State>
    let work = DispatchSemaphore(value: 0)

    init(_ queue: FairQueue<Job>) { state = Mutex(State(queue: queue)) }
  }

  private let room: Room
  private let threads: Int

  init(
    threads: Int = max(2, min(8, ProcessInfo.processInfo.activeProcessorCount / 2)),
    bounds: FairQueue<Never>.Bounds = .init(total: 4096, perTenant: 2048)
  ) {
    self.threads = threads
    room = Room(FairQueue(bounds: .init(total: bounds.total, perTenant: bounds.perTenant)))
  }

  deinit {
    room.state.withLock { $0.isOver = true }
    for _ in 0..<threads { room.work.signal() }
  }

  /// Pieces of work that wait for a thread.
  var waiting: Int { room.state.withLock(\.queue.count) }

  /// What `body` returns, run on one of the threads. `bytes` is how much there is to do. Throws what
  /// `body` throws, and `ServingError.overloaded`, `.timedOut`, `.cancelled`.
  func run<Value: Sendable>(
    _ arrival: Arrival, bytes: Int, _ body: @escaping @Sendable (WorkCheck) throws -> Value
  ) async throws -> Value {
    let check = WorkCheck(deadline: arrival.deadline)
    let ticket = Mutex<UInt64?>(nil)
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation {
        (continuation: CheckedContinuation<Value, any Error>) in
        let job = Job(
          run: { continuation.resume(with: Result { try body(check) }) },
          fail: { continuation.resume(throwing: $0) })
        do throws(ServingError) {
          let key = try admit(job, arrival, bytes: bytes)
          ticket.withLock { $0 = key }
        } catch {
          continuation.resume(throwing: error)
        }
        // Cancelled before the key was there: nobody else takes it out.
        if check.isCancelled { cancel(ticket.withLock { $0 }) }
      }
    } onCancel: {
      check.cancel()
      cancel(ticket.withLock { $0 })
    }
  }

  private func admit(
    _ job: Job, _ arrival: Arrival, bytes: Int
  ) throws(ServingError) -> UInt64 {
    let (outcome, mustStart) = room.state.withLock {
      state -> (Result<UInt64, ServingError>, Bool) in
      do throws(FairQueue<Job>.Full) {
        let keys = try state.queue.admit(
          [(element: job, tokens: 1 + bytes / Self.unit)], tenant: arrival.tenant,
          weight: arrival.weight, deadline: arrival.deadline)
        let mustStart = state.threads < threads
        if mustStart { state.threads += 1 }
        return (.success(keys.lowerBound), mustStart)
      } catch {
        return (.failure(.overloaded(tenant: error == .tenant, retryAfter: 1)), false)
      }
    }
    let key = try outcome.get()
    if mustStart { start() }
    room.work.signal()
    return key
  }

  /// Bytes that count as one in the fair queue, whose quantum is then 64 KB.
  private static let unit = 256

  private func cancel(_ key: UInt64?) {
    guard let key else { return }
    room.state.withLock { $0.queue.cancel(key) }?.fail(.cancelled)
  }

  private func start() {
    let room = room
    Thread.detachNewThread {
      Thread.current.name = "vbert worker"
      _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 5)
      while true {
        room.work.wait()
        let (late, job, isOver) = room.state.withLock { state -> ([Job], Job?, Bool) in
          let late = state.queue.expire(.now)
          let job = state.queue.next(within: .max)
          return (late, job, state.isOver && job == nil)
        }
        for job in late { job.fail(.timedOut) }
        job?.run()
        if isOver { return }
      }
    }
  }
}

/// Says to a piece of work whether anybody still waits for it.
final class WorkCheck: Sendable {
  private let deadline: ContinuousClock.Instant
  private let cancelled = Atomic<Bool>(false)

  init(deadline: ContinuousClock.Instant) { self.deadline = deadline }

  var isCancelled: Bool { cancelled.load(ordering: .relaxed) }
  func cancel() { cancelled.store(true, ordering: .relaxed) }

  /// Throws `ServingError.timedOut` or `.cancelled`.
  func callAsFunction() throws {
    if isCancelled || Task.isCancelled { throw ServingError.cancelled }
    if .now >= deadline { throw ServingError.timedOut }
  }
}
