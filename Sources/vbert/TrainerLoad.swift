import Foundation
import Glibc
import Synchronization
import Trainer

/// That this process, a trainer, is to end: SIGTERM, SIGINT, or the server beside it is gone. A signal's handler
/// reaches nothing but what is everybody's.
enum TrainerEnd {
  private static let asked = Atomic(false)

  static var isAsked: Bool { asked.load(ordering: .relaxed) }
  static func ask() { asked.store(true, ordering: .relaxed) }

  static func hearSignals() {
    for number in [SIGTERM, SIGINT] { signal(number) { _ in TrainerEnd.ask() } }
  }
}

/// How busy the server beside a trainer is, as it says on the trainer's standard input: a byte `1` when requests
/// come, `0` when none do. The end of that input is the server's end.
final class ServerLoad: Sendable {
  private let isBusy = Atomic(false)
  private let lease: Mutex<TrainingLease>
  private let start = ContinuousClock.now

  init(share: Double) { lease = Mutex(TrainingLease(share: share)) }

  func listen() {
    Thread.detachNewThread { [self] in
      while let byte = try? FileHandle.standardInput.read(upToCount: 1)?.first {
        isBusy.store(byte == UInt8(ascii: "1"), ordering: .relaxed)
      }
      TrainerEnd.ask()
    }
  }

  /// Waits as long as the server's share asks for.
  func wait() {
    let busy = isBusy.load(ordering: .relaxed)
    let pause = lease.withLock { $0.wait(at: .now - start, isBusy: busy) }
    if pause > .zero { Thread.sleep(forTimeInterval: pause / .seconds(1)) }
  }
}

/// Gives all threads of this process, and those that they will start, the lowest priority, and the policy of those that
/// give way as soon as another wakes: Linux keeps both by thread (setpriority(2), sched(7), SCHED_IDLE).
func lowerPriority() {
  let threads = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/task")) ?? []
  // SCHED_IDLE, a macro that Swift does not see.
  let idle: Int32 = 5
  for thread in threads.compactMap({ UInt32($0) }) {
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), thread, 19)
    var parameters = sched_param()
    unsafe _ = sched_setscheduler(pid_t(thread), idle, &parameters)
  }
}
