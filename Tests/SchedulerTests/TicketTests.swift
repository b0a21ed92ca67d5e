import Manager
import Scheduler
import Synchronization
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(1))) struct TicketTests {
  private static let reply = Reply(
    output: .score(1), tokens: 3, timing: Timing(), plot: PLOTStatistics())

  private func make(_ waiter: Waiter, _ place: Int) -> Ticket { Ticket(waiter, place: place) }

  @Test func anAnswerArrives() async throws {
    let waiter = Waiter(count: 1)
    make(waiter, 0).answer(.success(Self.reply))
    #expect(try await waiter.replies().map(\.output) == [.score(1)])
    #expect(waiter.isOver)
  }

  @Test func aLostTicketIsAnError() async {
    let waiter = Waiter(count: 2)
    make(waiter, 0).answer(.success(Self.reply))
    do {
      _ = make(waiter, 1)
    }
    await #expect(throws: ServingError.dropped) { try await waiter.replies() }
  }

  @Test func theFirstErrorEndsTheWaiting() async {
    let waiter = Waiter(count: 3)
    let lost = make(waiter, 2)
    make(waiter, 1).answer(.failure(.timedOut))
    await #expect(throws: ServingError.timedOut) { try await waiter.replies() }
    lost.answer(.success(Self.reply))
    waiter.fail(.cancelled)
    await #expect(throws: ServingError.timedOut) { try await waiter.replies() }
  }

  /// Thousands of requests whose tickets are answered, failed, dropped or cancelled at once from
  /// other threads: every one ends, with what was decided for it.
  @Test func noneIsEverLost() async {
    let ends = await withTaskGroup(of: Bool.self) { group in
      for i in 0..<5000 {
        group.addTask {
          let waiter = Waiter(count: 2)
          let (a, b) = (Holder(Ticket(waiter, place: 0)), Holder(Ticket(waiter, place: 1)))
          Task.detached { a.answer(.success(Self.reply)) }
          switch i % 4 {
          case 0: Task.detached { b.answer(.success(Self.reply)) }
          case 1: Task.detached { b.answer(.failure(.timedOut)) }
          case 2: Task.detached { b.drop() }
          default:
            Task.detached { waiter.fail(.cancelled) }
            Task.detached {
              try? await Task.sleep(for: .milliseconds(1))
              b.drop()
            }
          }
          let result = await Result { () async throws(ServingError) in try await waiter.replies() }
          switch (i % 4, result) {
          case (0, .success(let replies)): return replies.count == 2
          case (1, .failure(.timedOut)), (2, .failure(.dropped)), (3, .failure(.cancelled)):
            return true
          default: return false
          }
        }
      }
      return await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
    }
    #expect(ends == 5000)
  }
}

/// Closures cannot give up what they captured.
private final class Holder: Sendable {
  private let ticket: Mutex<Ticket?>

  init(_ ticket: consuming Ticket) { self.ticket = Mutex(ticket) }

  func answer(_ outcome: Outcome) {
    ticket.withLock { slot in
      if let ticket = slot.take() { ticket.answer(outcome) }
    }
  }
  func drop() { ticket.withLock { $0 = nil } }
}

extension Result {
  fileprivate init(_ body: () async throws(Failure) -> Success) async {
    do { self = .success(try await body()) } catch { self = .failure(error) }
  }
}
