import Foundation
import Model
import ServingSupport
import Synchronization
import Testing

@testable import Scheduler

private struct Broken: Error, Equatable { var number = 0 }

@Suite struct BaseStatesTests {
  private typealias States = BaseStates<String, Int>
  private let begin = ContinuousClock.now

  @Test func oneLoadAtATimeForEachBase() {
    var states = States()
    guard case .load = states.ask("a", now: begin) else { return #expect(Bool(false)) }
    guard case .wait = states.ask("a", now: begin) else { return #expect(Bool(false)) }
    guard case .load = states.ask("b", now: begin) else { return #expect(Bool(false)) }
    _ = states.wait(for: "a", 1)
    let second = states.wait(for: "a", 2)
    #expect(states.forget(second ?? 0, of: "a") == 2)
    #expect(states.ended("a", .success("A"), now: begin) == [1])
    #expect(states.base("a") == "A" && states.base("b") == nil && states.bases == ["A"])
    guard case .ready("A") = states.ask("a", now: begin) else { return #expect(Bool(false)) }
    // Too late to wait: who asks again hears it.
    #expect(states.wait(for: "a", 3) == nil)
  }

  @Test func afterAFailureTheNextTryWaitsTwiceAsLong() {
    var states = States()
    var now = begin
    for (number, seconds) in [1, 2, 4, 8, 16, 32, 60, 60].enumerated() {
      guard case .load = states.ask("a", now: now) else { return #expect(Bool(false), "\(number)") }
      _ = states.ended("a", .failure(Broken(number: number)), now: now)
      let next = now + .seconds(seconds)
      for early in [now, next - .milliseconds(1)] {
        guard case .failed(let error) = states.ask("a", now: early) else {
          return #expect(Bool(false), "\(number)")
        }
        #expect(error as? Broken == Broken(number: number))
      }
      now = next
    }
    // What succeeds is forgiven.
    guard case .load = states.ask("a", now: now) else { return #expect(Bool(false)) }
    _ = states.ended("a", .success("A"), now: now)
    guard case .ready = states.ask("a", now: now) else { return #expect(Bool(false)) }
  }

  @Test func failuresAreRememberedWithinABound() {
    var states = States()
    for i in 0..<States.mostFailures + 10 {
      _ = states.ask("\(i)", now: begin + .milliseconds(i))
      _ = states.ended("\(i)", .failure(Broken()), now: begin + .milliseconds(i))
    }
    guard case .load = states.ask("0", now: begin) else { return #expect(Bool(false)) }
    guard case .failed = states.ask("20", now: begin) else { return #expect(Bool(false)) }
  }
}

@Suite(.timeLimit(.minutes(2))) struct ServedBasesTests {
  /// A base that loads for ever holds up neither another base nor a task with a deadline.
  @Test func loadingOneBaseIsNobodyElsesWait() async throws {
    let door = DispatchSemaphore(value: 0)
    let bases = ServedBases { name in
      if name == "slow" { door.wait() }
      return try TinyModel.served(named: name)
    }
    func spec(_ base: String) -> VBertSpec { TinyModel.spec(.embed, .none, base: base) }
    async let slow = bases.base(for: spec("slow"), by: .now + .seconds(60))
    #expect(
      try await bases.base(for: spec("quick"), by: .now + .seconds(60)).name == "quick")
    await #expect(throws: ServingError.timedOut) {
      _ = try await bases.base(for: spec("slow"), by: .now + .milliseconds(20))
    }
    let waiting = Task {
      try await bases.base(for: spec("slow"), by: .now + .seconds(60))
    }
    waiting.cancel()
    await #expect(throws: ServingError.cancelled) { _ = try await waiting.value }
    #expect(bases.loaded.map(\.name) == ["quick"])
    door.signal()
    #expect(try await slow.name == "slow")
    #expect(bases.loaded.map(\.name) == ["quick", "slow"])
  }

  @Test func aBaseThatFailsIsLoadedOnce() async throws {
    let loads = Mutex(0)
    let bases = ServedBases { _ in
      loads.withLock { $0 += 1 }
      throw Broken()
    }
    let spec = TinyModel.spec(.embed, .none)
    for _ in 0..<50 {
      await #expect(throws: Broken.self) {
        _ = try await bases.base(for: spec, by: .now + .seconds(60))
      }
      #expect(throws: Broken.self) { _ = try bases.base(named: spec.base) }
    }
    // A second can pass in a test; fifty do not.
    #expect(loads.withLock { $0 } < 10)
  }
}
