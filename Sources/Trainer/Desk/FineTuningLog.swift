internal import Dispatch
internal import Foundation
internal import Manager
internal import Synchronization

/// What a fine-tuning's owner hears of it: gathered, and written down at most once a second on a thread of its
/// own, which also looks what was asked meanwhile. Neither waits in training's way.
final class FineTuningLog: Sendable {
  private struct State {
    var waiting: [FineTuningEvent] = []
    var tokens: Int?
    var last: ContinuousClock.Instant?
    var lastStep: ContinuousClock.Instant?
    var isAskedToStop = false
  }

  private let record: FineTuningRecord
  private let registry: any RegistryStore
  private let state = Mutex(State())
  private let queue = DispatchQueue(label: "vbert.fine-tuning-log")

  init(_ record: FineTuningRecord, _ registry: any RegistryStore) {
    (self.record, self.registry) = (record, registry)
  }

  /// Cancelled or paused by now; looks once a second. Cheap.
  var isAskedToStop: Bool {
    writeIfDue()
    return state.withLock(\.isAskedToStop)
  }

  func say(
    _ text: String, _ level: FineTuningEvent.Level = .info, data: [String: Double] = [:]
  ) {
    state.withLock { $0.waiting.append(FineTuningEvent(text, level, data: data)) }
  }

  /// Of steps one in two seconds is told.
  func hear(_ event: TrainingEvent) {
    switch event {
    case .unseen(_, let labels):
      say("no row has \(labels.joined(separator: ", ")): nothing but a name can tell of it", .warn)
    case .preparing(let done, let all): sayNowAndThen("reading rows: \(done) of \(all)", [:])
    case .heads(let done, let all): sayNowAndThen("solving heads: \(done) of \(all)", [:])
    case .step(_, let number, let all, let loss, let tokens):
      state.withLock { $0.tokens = tokens }
      sayNowAndThen(
        "step \(number) of \(all): loss \(Self.short(loss))",
        ["step": Double(number), "total_steps": Double(all), "train_loss": loss])
    case .epoch(_, let epoch):
      say(
        "epoch \(epoch.number): loss \(Self.short(epoch.loss)), dev \(epoch.dev.primary) "
          + Self.short(epoch.dev.value) + (epoch.isBest ? " (best)" : ""),
        data: epoch.dev.values.merging(
          ["epoch": Double(epoch.number), "train_loss": epoch.loss]) { $1 })
    case .publishing:
      // What is told of it comes before its end. Training's loop holds its thread as it is.
      return queue.sync { [self] in blocking { [self] in await write() } }
    case .began, .ended, .finished: break
    }
    writeIfDue()
  }

  private func sayNowAndThen(_ text: String, _ data: [String: Double]) {
    state.withLock { state in
      let now = ContinuousClock.now
      guard state.lastStep.map({ now - $0 >= .seconds(2) }) ?? true else { return }
      state.lastStep = now
      state.waiting.append(FineTuningEvent(text, data: data))
    }
  }

  /// What is due is written on a thread of its own, one at a time.
  private func writeIfDue() {
    let isDue = state.withLock { state in
      let now = ContinuousClock.now
      guard state.last.map({ now - $0 >= .seconds(1) }) ?? true else { return false }
      state.last = now
      return true
    }
    if isDue { queue.async { [self] in blocking { [self] in await write() } } }
  }

  /// Writes down what there is; what is under way is written when this returns.
  func flush() async {
    await withCheckedContinuation { done in
      queue.async { [self] in
        blocking { [self] in await write() }
        done.resume()
      }
    }
  }

  /// Looks what was asked, too. What cannot be written is lost: it is no reason to stop.
  private func write() async {
    let (events, tokens) = state.withLock { state in
      defer { state.waiting = [] }
      return (state.waiting, state.tokens)
    }
    if !events.isEmpty { try? await registry.note(events, of: record.number, tokens: tokens) }
    guard let now = try? await registry.fineTuning(record.id, of: nil) else { return }
    state.withLock { $0.isAskedToStop = [.cancel, .pause].contains(now.asked) }
  }

  private static func short(_ value: Double) -> String {
    value.formatted(.number.precision(.significantDigits(1...4)).grouping(.never))
  }
}
