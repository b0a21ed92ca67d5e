import Foundation
import Glibc
import Logging
import Manager
import Scheduler
import Synchronization

/// Runs the fine-tunings that wait, in a process of their own while there are any: one that fails, or takes all
/// its memory, is not the server's end. It ends with the server, however the server ends.
final class TrainerProcess: Sendable {
  private let registry: any RegistryStore
  private let intake: Intake
  private let arguments: [String]
  private let log: Logger
  private let isStopping = Atomic(false)
  private let ended = DispatchSemaphore(value: 0)

  /// `arguments` are those of `vbert trainer`.
  init(_ registry: any RegistryStore, _ intake: Intake, arguments: [String], _ log: Logger) {
    (self.registry, self.intake, self.arguments, self.log) = (registry, intake, arguments, log)
  }

  func start() {
    let thread = Thread { [self] in
      watch()
      ended.signal()
    }
    thread.name = "trainer"
    thread.start()
  }

  /// The training that runs goes back into the queue; returns when the process is gone, or after so long has
  /// been killed.
  func stop() {
    isStopping.store(true, ordering: .relaxed)
    ended.wait()
  }

  private static let (tick, patience) = (0.1, 10.0)
  /// Busy is who has answered anything for so long.
  private static let calm: Duration = .seconds(1)

  private func watch() {
    var (child, pause) = (ChildProcess?.none, 1.0)
    var (answered, busySince, next) = (0, ContinuousClock.Instant?.none, ContinuousClock.now)
    while !isStopping.load(ordering: .relaxed) {
      Thread.sleep(forTimeInterval: Self.tick)
      let count = SequenceCounts.Ending.allCases.reduce(0) { $0 + intake.counts[$1] }
      if count != answered { (answered, busySince) = (count, .now) }
      if let running = child {
        running.tell(isBusy: busySince.map { .now - $0 < Self.calm } ?? false)
        guard let status = running.ending() else { continue }
        child = nil
        pause = status == 0 ? 1 : min(60, 2 * pause)
        next = .now + .seconds(status == 0 ? 0 : pause)
        if status != 0 {
          log.error(
            "the trainer ended before its time; it is started again",
            metadata: ["status": "\(status)", "in": "\(Int(pause)) s"])
        }
      } else if .now >= next {
        next = .now + .milliseconds(500)
        guard (try? blocking { [registry] in try await registry.isFineTuningQueued() }) == true
        else { continue }
        child = ChildProcess(arguments)
        if child == nil {
          log.error(
            "no trainer can be started",
            metadata: ["why": "\(unsafe String(cString: strerror(errno)))"])
          next = .now + .seconds(pause)
        }
      }
    }
    end(child)
  }

  private func end(_ child: ChildProcess?) {
    guard let child else { return }
    child.close()
    let until = ContinuousClock.now + .seconds(Self.patience)
    while child.ending() == nil {
      if .now > until { child.kill() }
      Thread.sleep(forTimeInterval: 0.02)
    }
  }
}

/// This program again, with other arguments; what it reads is ours to write, and ends with us.
private final class ChildProcess {
  private let process: pid_t
  private var input: Int32
  private var said: Bool?
  private var status: Int32?

  init?(_ arguments: [String]) {
    var ends: [Int32] = [0, 0]
    guard unsafe pipe(&ends) == 0 else { return nil }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    defer { Glibc.close(ends[0]) }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe _ = posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, ends[0], STDIN_FILENO)
    // Its answers are in the registry; what it prints would be taken for the server's.
    unsafe posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO)
    var words = unsafe (["vbert"] + arguments).map { unsafe strdup($0) } + [nil]
    defer { unsafe words.forEach { unsafe free($0) } }
    var number: pid_t = 0
    let problem = unsafe posix_spawn(
      &number, "/proc/self/exe", &actions, nil, &words, environ)
    guard problem == 0 else {
      errno = problem
      Glibc.close(ends[1])
      return nil
    }
    (process, input) = (number, ends[1])
  }

  func tell(isBusy: Bool) {
    guard said != isBusy, input >= 0 else { return }
    said = isBusy
    // SIGPIPE is ignored by the server; a child that is gone is found by `ending`.
    var byte = UInt8(ascii: isBusy ? "1" : "0")
    unsafe _ = write(input, &byte, 1)
  }

  /// nil while it runs; 0 where it ended well.
  func ending() -> Int32? {
    if let status { return status }
    var found: Int32 = 0
    guard unsafe waitpid(process, &found, WNOHANG) == process else { return nil }
    status = found
    return found
  }

  func close() {
    if input >= 0 { Glibc.close(input) }
    input = -1
  }

  func kill() { Glibc.kill(process, SIGKILL) }

  deinit { close() }
}
