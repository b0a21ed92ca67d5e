import Foundation
import Synchronization
import Testing

@testable import Manager

/// Threads that are no tasks and wait for what is `async`.
@Suite struct BlockingTests {
  private struct Refusal: Error, Equatable { let number: Int }

  /// What a new thread makes of `body`.
  private func onThread<Value: Sendable>(_ body: @escaping @Sendable () -> Value) async -> Value {
    await withCheckedContinuation { continuation in
      Thread.detachNewThread { continuation.resume(returning: body()) }
    }
  }

  @Test func whatItSaysOrThrowsIsGivenBack() async {
    #expect(await onThread { blocking { 7 } } == 7)
    let refused = await onThread { () -> Refusal? in
      do throws(Refusal) {
        try blocking { () async throws(Refusal) in throw Refusal(number: 3) }
        return nil
      } catch { return error }
    }
    #expect(refused == Refusal(number: 3))
  }

  /// Before and after it has waited for something, for children too.
  @Test func itRunsOnTheThreadThatWaits() async {
    let places = await onThread { () -> Set<UInt> in
      let mine = Self.thread
      let others = blocking {
        var places = [Self.thread]
        try? await Task.sleep(for: .milliseconds(1))
        places.append(Self.thread)
        return places + (await concurrently(8) { _ in Self.thread })
      }
      return Set(others + [mine])
    }
    #expect(places.count == 1)
  }

  @Test func resultsStandInTheirOrder() async {
    #expect(await concurrently(0) { $0 }.isEmpty)
    let most = Mutex((now: 0, most: 0))
    let found = await concurrently(100) { i in
      most.withLock {
        $0.now += 1
        $0.most = max($0.most, $0.now)
      }
      if i % 3 == 0 { await Task.yield() }
      most.withLock { $0.now -= 1 }
      return i * i
    }
    #expect(found == (0..<100).map { $0 * $0 })
    #expect(most.withLock(\.most) <= ProcessInfo.processInfo.activeProcessorCount)
  }

  private static var thread: UInt { UInt(bitPattern: ObjectIdentifier(Thread.current)) }
}
