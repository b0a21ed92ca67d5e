import Foundation
import Scheduler
import Synchronization
import Testing

@testable import Dispatcher

@Suite struct RequestMemoryTests {
  @Test func aTenantHasHalfOfIt() throws {
    var book = RequestMemory.Book(bound: 100)
    try book.take(50, for: 1)
    #expect(throws: RequestMemory.Full.tenant) { try book.take(1, for: 1) }
    try book.take(40, for: 2)
    #expect(throws: RequestMemory.Full.everybody) { try book.take(11, for: 3) }
    try book.take(10, for: 3)
    book.give(50, of: 1)
    try book.take(20, for: 1)
    book.give(20, of: 1)
    book.give(40, of: 2)
    book.give(10, of: 3)
    #expect(book.isEmpty)
  }

  @Test func sharesAreGivenBack() throws {
    let memory = RequestMemory(bound: 1 << 20)
    do {
      let share = RequestMemory.Share(memory, tenant: 1)
      // The first bytes are free, whatever the size of what comes.
      try share.add(RequestMemory.free - 1)
      #expect(memory.held == 0)
      try share.add(11)
      #expect(memory.held == 10 && share.size == RequestMemory.free + 10)
      #expect(throws: RequestMemory.Full.tenant) { try share.add(1 << 19) }
      #expect(memory.held == 10)
      // Others' small ones are taken all the same.
      let small = RequestMemory.Share(memory, tenant: 1)
      try small.add(RequestMemory.free)
    }
    #expect(memory.held == 0)
  }
}

private final class Notes: Sendable {
  let list = Mutex<[String]>([])
}

@Suite(.timeLimit(.minutes(2))) struct WorkersTests {
  private func arrival(_ tenant: Int64, _ seconds: Double = 60) -> Arrival {
    Arrival(tenant: tenant, weight: 1, deadline: .now + .seconds(seconds))
  }

  /// Runs `body` while the only thread is busy, and lets it go when `body` has ended its first part.
  private func busy(_ workers: Workers) async -> DispatchSemaphore {
    let door = DispatchSemaphore(value: 0)
    let started = Mutex(false)
    let arrival = arrival(0)
    Task {
      try await workers.run(arrival, bytes: 0) { _ in
        started.withLock { $0 = true }
        door.wait()
      }
    }
    while !started.withLock({ $0 }) { await Task.yield() }
    return door
  }

  private func waiting(_ workers: Workers, _ count: Int) async {
    while workers.waiting < count { await Task.yield() }
  }

  @Test func smallWorkOfOneTenantPassesLargeWorkOfAnother() async throws {
    let workers = Workers(threads: 1)
    let door = await busy(workers)
    let order = Notes()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for number in 0..<2 {
        group.addTask {
          try await workers.run(arrival(1), bytes: 1 << 20) { _ in
            order.list.withLock { $0.append("large \(number)") }
          }
        }
      }
      await waiting(workers, 2)
      group.addTask {
        try await workers.run(arrival(2), bytes: 1 << 10) { _ in
          order.list.withLock { $0.append("small") }
        }
      }
      await waiting(workers, 3)
      door.signal()
      try await group.waitForAll()
    }
    #expect(order.list.withLock { $0.first } == "small")
  }

  @Test func whoIsGoneOrLateIsAnswered() async throws {
    let workers = Workers(threads: 1)
    let door = await busy(workers)
    let late = arrival(1, 0)
    let timed = Task { try await workers.run(late, bytes: 1) { _ in } }
    let gone = Task { try await workers.run(arrival(1), bytes: 1) { _ in } }
    await waiting(workers, 2)
    gone.cancel()
    // Cancelled while it waits: answered though the thread is busy.
    await #expect(throws: ServingError.cancelled) { try await gone.value }
    door.signal()
    await #expect(throws: ServingError.timedOut) { try await timed.value }
  }

  @Test func whatRunsLearnsThatNobodyWaits() async throws {
    let workers = Workers(threads: 1)
    let began = Mutex(false)
    let task = Task {
      try await workers.run(arrival(1), bytes: 1) { check in
        began.withLock { $0 = true }
        while true { try check() }
      }
    }
    while !began.withLock({ $0 }) { await Task.yield() }
    task.cancel()
    await #expect(throws: ServingError.cancelled) { try await task.value }
    #expect(throws: ServingError.timedOut) { try WorkCheck(deadline: .now - .seconds(1))() }
  }

  @Test func whatWaitsIsBounded() async throws {
    let workers = Workers(threads: 1, bounds: .init(total: 3, perTenant: 2))
    let door = await busy(workers)
    let errors = Mutex<[ServingError]>([])
    await withTaskGroup(of: Void.self) { group in
      for tenant in [1, 1, 2] as [Int64] {
        group.addTask { try? await workers.run(arrival(tenant), bytes: 1) { _ in } }
      }
      await waiting(workers, 3)
      do { try await workers.run(arrival(1), bytes: 1) { _ in } } catch {
        if let error = error as? ServingError { errors.withLock { $0.append(error) } }
      }
      door.signal()
    }
    #expect(errors.withLock { $0 } == [.overloaded(tenant: false, retryAfter: 1)])
  }
}

@Suite struct JSONPiecesTests {
  /// Piece by piece is what all at once is.
  @Test func piecesAreTheWhole() throws {
    var pieces = JSONItems(
      3,
      opening: { writer in
        writer.open("{")
        writer.key("data")
        writer.open("[")
      },
      closing: { writer in
        writer.close("]")
        writer.member("count", 3)
        writer.close("}")
      }
    ) { index, list in list.object { $0.member("index", index) } }
    var (writer, text, hasMore) = (JSONWriter(), "", true)
    while hasMore {
      hasMore = pieces.next(&writer)
      text += String(decoding: writer.take(), as: UTF8.self)
    }
    #expect(text == #"{"data":[{"index":0},{"index":1},{"index":2}],"count":3}"#)
    var none = JSONItems(0) { _, _ in }
    #expect(!none.next(&writer) && writer.take() == Array(",[]".utf8))
  }

  /// Hundreds of thousands of members are refused as fast as a few.
  @Test func manyMembersAreRefused() throws {
    let members = (0..<300_000).map { "\"\($0)\":null" }.joined(separator: ",")
    #expect(throws: APIError.self) { try EmbedBody(json: Array("{\(members)}".utf8)) }
  }

  /// What changes no answer may be anything, to the depth that docs/request.md says.
  @Test func bodiesNestAsDeepAsIsSaid() throws {
    func body(_ lists: Int) -> [UInt8] {
      let (open, close) = (
        String(repeating: "[", count: lists), String(repeating: "]", count: lists)
      )
      return Array("{\"inputs\": \"a\", \"id\": \(open)\(close)}".utf8)
    }
    #expect(throws: Never.self) { try EmbedBody(json: body(127)) }
    #expect(throws: APIError.self) { try EmbedBody(json: body(128)) }
  }
}
