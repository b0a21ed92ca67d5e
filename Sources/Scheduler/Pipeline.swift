package import Compute
package import CoreMetrics
internal import Dispatch
internal import Foundation
package import Manager
internal import Model
internal import Synchronization

/// Two threads that overlap on different batches: one closes a batch and fetches what it needs, the
/// other computes the one before. Between them a slot for one batch, so that the device never waits
/// for what could have been ready, and nothing is closed earlier than it must.
package final class Pipeline: Sendable {
  package enum Health: Sendable, Equatable {
    case ready, stopping, stopped
    /// One batch has been running for this long.
    case stuck(Duration)
  }

  private struct State {
    var running: ContinuousClock.Instant?
    var threads = 0
    var hasStopped = false
    var sleepers: [Sleeper] = []
  }

  package let intake: Intake
  private let prefetch: Prefetch
  private let backend: any Backend
  private let trace: Trace?
  private let metrics: ServingMetrics
  private let handover = Handover<PreparedBatch>()
  private let state = Mutex(State())

  /// `backend` is the compute thread's lane, nobody else's.
  package init(
    intake: Intake, engines: Engines, adapters: any AdapterSource, backend: any Backend,
    mode: PLOTMode = .exact, trace: Trace? = nil,
    metrics: any MetricsFactory = NOOPMetricsHandler.instance
  ) {
    self.intake = intake
    self.backend = backend
    self.trace = trace
    self.metrics = ServingMetrics(metrics)
    prefetch = Prefetch(engines: engines, adapters: adapters, mode: mode, trace: trace)
  }

  /// Starts both threads. Once.
  package func start() {
    state.withLock { state in
      precondition(state.threads == 0 && !state.hasStopped)
      state.threads = 2
    }
    spawn("vbert prefetch") { $0.prefetchBatches() }
    spawn("vbert compute") { $0.computeBatches() }
  }

  /// Refuses what is new, finishes what was accepted, and returns when that is done.
  package func stop() async {
    intake.stop()
    await Sleeper.sleep { sleeper in
      let isOver = state.withLock { state in
        if state.threads > 0 { state.sleepers.append(sleeper) }
        return state.threads == 0
      }
      if isOver { sleeper.wake() }
    }
    trace?.flush()
  }

  package var health: Health {
    let (running, hasStopped) = state.withLock { ($0.running, $0.hasStopped) }
    if hasStopped { return .stopped }
    if let running, .now - running > Pipeline.patience { return .stuck(.now - running) }
    return intake.isStopping ? .stopping : .ready
  }

  /// No batch takes this long.
  private static let patience = Duration.seconds(60)

  private func spawn(_ name: String, _ body: @escaping @Sendable (Pipeline) -> Void) {
    let started = DispatchSemaphore(value: 0)
    let thread = Thread { [self] in
      // Only a thread itself can tell the system its name, and only once Foundation knows it.
      started.wait()
      Thread.current.name = name
      body(self)
      leave()
    }
    thread.stackSize = 4 << 20
    thread.start()
    started.signal()
  }

  private func leave() {
    let sleepers = state.withLock { state -> [Sleeper] in
      state.threads -= 1
      guard state.threads == 0 else { return [] }
      state.hasStopped = true
      defer { state.sleepers = [] }
      return state.sleepers
    }
    for sleeper in sleepers { sleeper.wake() }
  }
}

extension Pipeline {
  /// The first thread: the fair queue picks, the policy closes, adapters and n-gram rows are fetched.
  private func prefetchBatches() {
    var number = 0
    while true {
      handover.reserve()
      guard let works = intake.nextBatch() else { break }
      number += 1
      let batch = prefetch.prepare(works, number: number)
      intake.note(.prepared(tokens: batch.tokens, took: .now - batch.closed))
      handover.put(batch)
    }
    handover.put(nil)
  }

  /// The second thread: encoder and heads, then the answers.
  private func computeBatches() {
    let execution = Execution(backend: backend, tokenBudget: intake.tokenBudget)
    while let batch = handover.take() {
      let begin = ContinuousClock.now
      state.withLock { $0.running = begin }
      intake.note(.started(tokens: batch.tokens, at: begin))
      for part in batch.parts { run(part, of: batch, on: execution) }
      intake.note(.ended(tokens: batch.tokens, took: .now - begin))
      state.withLock { $0.running = nil }
    }
  }

  private func run(_ part: BatchPart, of batch: PreparedBatch, on execution: Execution) {
    let begin = ContinuousClock.now
    do {
      var mark = begin
      let outputs = try execution.outputs(of: part) { layer in
        guard let trace else { return }
        trace.span(layer == 0 ? "enter" : "layer \(layer)", .compute, from: mark)
        mark = .now
      }
      let end = ContinuousClock.now
      metrics.note(batch: part, lookup: begin - batch.closed, compute: end - begin)
      for (i, work) in part.works.enumerated() {
        var timing = Timing()
        timing.queue = batch.closed - work.arrived
        timing.lookup = begin - batch.closed
        timing.compute = end - begin
        metrics.note(queued: timing.queue)
        work.answer(
          .success(
            Reply(
              output: outputs[i], tokens: work.tokens, timing: timing,
              plot: part.rows?.statistics(of: part.packed.layout.rows(of: i)) ?? PLOTStatistics())))
      }
      trace?.span("heads", .compute, from: mark, to: end)
      trace?.span(
        "batch \(batch.number)", .compute, from: begin, to: end,
        [
          "base": .text(part.engine.name), "vberts": .number(Double(part.runs.count)),
          "sequences": .number(Double(part.works.count)),
          "tokens": .number(Double(part.packed.layout.rows)),
        ])
    } catch {
      metrics.note(failed: part.works.count)
      for work in part.works { work.answer(.failure(.compute("\(error)"))) }
    }
    withExtendedLifetime(part.rows) {}
  }
}
