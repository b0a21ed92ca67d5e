package import Compute
package import CoreMetrics
internal import Dispatch
internal import Foundation
package import Manager
internal import Model
internal import Synchronization

/// Two threads that overlap on different batches: one closes a batch and fetches what it needs, the
/// other computes the one before. Between them a slot for one batch, so that the device never waits
/// for what could have been ready, and nothing is closed earlier than it must. A third thread watches
/// both: it computes nothing and waits for nobody.
package final class Pipeline: Sendable {
  package enum Health: Sendable, Equatable {
    case ready, stopping, stopped
    /// Why batches do not run through.
    case unhealthy(String)
  }

  private struct State {
    var threads = 0
    var hasStarted = false
    var hasStopped = false
    var sleepers: [Sleeper] = []
  }

  package let intake: Intake
  private let prefetch: Prefetch
  private let backend: any Backend
  private let trace: Trace?
  private let metrics: ServingMetrics
  private let handover = Handover<PreparedBatch>()
  private let flights: Flights
  private let probe: Probe
  private let patience: Duration
  private let state = Mutex(State())

  /// `backend` is the compute thread's lane, nobody else's.
  package init(
    intake: Intake, engines: Engines, adapters: any AdapterSource, backend: any Backend,
    mode: PLOTMode = .exact, trace: Trace? = nil,
    metrics: any MetricsFactory = NOOPMetricsHandler.instance,
    witnesses: (any ProbeWitnesses)? = nil,
    watch: HealthWatch.Settings = HealthWatch.Settings()
  ) {
    self.intake = intake
    self.backend = backend
    self.trace = trace
    self.metrics = ServingMetrics(metrics)
    prefetch = Prefetch(engines: engines, adapters: adapters, mode: mode, trace: trace)
    flights = Flights(watch)
    probe = Probe(intake: intake, engines: engines, witnesses: witnesses)
    patience = watch.patience
  }

  /// Starts its threads. Once.
  package func start() {
    state.withLock { state in
      precondition(!state.hasStarted)
      state.hasStarted = true
      state.threads = 2
    }
    spawn("vbert prefetch") { pipeline in
      pipeline.prefetchBatches()
      pipeline.leave()
    }
    spawn("vbert compute") { pipeline in
      pipeline.computeBatches()
      pipeline.leave()
    }
    spawn("vbert watch") { $0.watch() }
  }

  /// Refuses what is new, finishes what was accepted, and returns when that is done, or when a stage
  /// hangs, with whose threads it does not wait.
  package func stop() async {
    intake.stop()
    await Sleeper.sleep { sleeper in
      let isOver = state.withLock { state in
        let isOver = !state.hasStarted || state.hasStopped
        if !isOver { state.sleepers.append(sleeper) }
        return isOver
      }
      if isOver { sleeper.wake() }
    }
    trace?.flush()
  }

  package var health: Health {
    if state.withLock(\.hasStopped) { return .stopped }
    if case .unhealthy(let why) = flights.verdict { return .unhealthy(why) }
    return intake.isStopping ? .stopping : .ready
  }

  private func spawn(_ name: String, _ body: @escaping @Sendable (Pipeline) -> Void) {
    let started = DispatchSemaphore(value: 0)
    let thread = Thread { [self] in
      // Only a thread itself can tell the system its name, and only once Foundation knows it.
      started.wait()
      Thread.current.name = name
      body(self)
    }
    thread.stackSize = 4 << 20
    thread.start()
    started.signal()
  }

  private func leave() {
    let isLast = state.withLock { state in
      state.threads -= 1
      return state.threads == 0
    }
    if isLast { end() }
  }

  private func end() {
    let sleepers = state.withLock { state -> [Sleeper] in
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
      guard let closed = intake.nextBatch() else { break }
      number += 1
      flights.begin(number, closed.elements, expected: closed.prepare)
      let batch = prefetch.prepare(closed.elements, number: number)
      flights.note(.left(.prefetch, batch: number))
      for part in batch.parts {
        intake.note(
          .prepared(
            base: part.engine.name, units: part.units, tokens: part.packed.layout.rows,
            took: part.took))
      }
      for failure in batch.failures { note(failure) }
      handover.put(batch)
    }
    handover.put(nil)
  }

  /// The second thread: encoder and heads, then the answers.
  private func computeBatches() {
    let execution = Execution(backend: backend, tokenBudget: intake.tokenBudget)
    while let batch = handover.take() {
      for work in batch.parts.flatMap(\.works) where work.isUnwanted {
        work.answer(.failure(.cancelled))
      }
      let parts = batch.parts.compactMap(\.wanted)
      var units: [String: Double] = [:]
      for part in parts { units[part.engine.name, default: 0] += part.units }
      let expected = intake.expected(.compute, units)
      flights.note(.entered(.compute, batch: batch.number, expected: expected))
      intake.note(.started(expected: expected, at: .now))
      for part in parts { run(part, of: batch, on: execution) }
      intake.note(.ended)
      flights.end(batch.number)
    }
  }

  private func run(_ part: BatchPart, of batch: PreparedBatch, on execution: Execution) {
    let begin = ContinuousClock.now
    do throws(ComputeError) {
      var mark = begin
      let outputs = try execution.outputs(of: part) { layer throws(ComputeError) in
        // Where nobody waits any more, what is left is not computed.
        if part.works.allSatisfy(\.isUnwanted) { throw .abandoned }
        guard let trace else { return }
        trace.span(layer == 0 ? "enter" : "layer \(layer)", .compute, from: mark)
        mark = .now
      }
      let end = ContinuousClock.now
      if !part.works.allSatisfy(\.isProbe) {
        metrics.note(batch: part, lookup: begin - batch.closed, compute: end - begin)
      }
      intake.note(
        .computed(
          base: part.engine.name, units: part.units, tokens: part.packed.layout.rows,
          took: end - begin))
      for failure in part.withoutNumbers(outputs) { note(failure) }
      for (i, work) in part.works.enumerated() {
        guard outputs[i].isFinite else {
          work.answer(.failure(.notFinite(name: work.request.vbert.name)))
          continue
        }
        var timing = Timing()
        timing.queue = batch.closed - work.arrived
        timing.lookup = begin - batch.closed
        timing.compute = end - begin
        if !work.isProbe { metrics.note(queued: timing.queue) }
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
    } catch .abandoned {
      for work in part.works { work.answer(.failure(.cancelled)) }
    } catch {
      for work in part.works { work.answer(.failure(.compute("\(error)"))) }
      note(
        BatchFailure(
          stage: .compute, sequences: part.works.count, why: "\(error)",
          vberts: part.runs.map(\.vbert)))
    }
    withExtendedLifetime(part.rows) {}
  }

  private func note(_ failure: BatchFailure) {
    metrics.note(failure: failure)
    flights.note(failure: failure)
  }
}

extension Pipeline {
  /// The third thread: deadlines hold wherever a request is, and whatever the other two are doing.
  private func watch() {
    while !state.withLock(\.hasStopped) {
      Thread.sleep(forTimeInterval: 0.05)
      intake.expire()
      let (probe, hung) = flights.check()
      for failure in hung { metrics.note(failure: failure) }
      if let probe { ask(inDoubt: probe) }
      // Its thread may never come back.
      if intake.isStopping, flights.isHung { end() }
    }
  }

  /// Probes from a thread of its own: a disk that hangs must not hold up the watch.
  private func ask(inDoubt: Bool) {
    spawn("vbert probe") { pipeline in
      let storage = pipeline.probe.witnesses?.storageFailure()
      _Concurrency.Task {
        var failure = await pipeline.probe.run(
          inDoubt: inDoubt, suspects: pipeline.flights.suspects, within: pipeline.patience)
        failure = failure ?? storage
        if let failure {
          pipeline.metrics.note(
            failure: BatchFailure(stage: .probe, sequences: 1, why: failure))
        }
        pipeline.flights.note(.probed(failure: failure))
      }
    }
  }
}
