package import Compute
package import CoreMetrics
internal import Dispatch
internal import Foundation
package import Manager
internal import Model
internal import Synchronization

/// The lanes behind one queue, two threads each, and a thread that watches them: it computes nothing and
/// waits for nobody.
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
  private let lanes: [Lane]
  private let trace: Trace?
  private let metrics: ServingMetrics
  private let probe: Probe
  private let patience: Duration
  private let state = Mutex(State())

  /// A device, or a part of one, that takes batches from the queue.
  package struct Device {
    /// Makes adapters resident there.
    package let adapters: any AdapterSource
    /// Its compute thread's, nobody else's.
    package let backend: any Backend

    package init(adapters: any AdapterSource, backend: any Backend) {
      (self.adapters, self.backend) = (adapters, backend)
    }
  }

  /// A lane for each of `devices`, of which `intake` and every base of `bases` must know as many.
  package init(
    intake: Intake, bases: ServedBases, devices: [Device],
    mode: PLOTMode = .exact, trace: Trace? = nil,
    metrics: any MetricsFactory = NOOPMetricsHandler.instance,
    witnesses: (any ProbeWitnesses)? = nil,
    watch: HealthWatch.Settings = HealthWatch.Settings()
  ) {
    precondition(devices.count == intake.lanes)
    self.intake = intake
    self.trace = trace
    let counts = ServingMetrics(metrics)
    self.metrics = counts
    lanes = devices.enumerated().map { number, device in
      Lane(
        number, intake: intake, backend: device.backend,
        prefetch: Prefetch(lane: number, adapters: device.adapters, mode: mode, trace: trace),
        trace: trace, metrics: counts, watch: watch)
    }
    probe = Probe(intake: intake, bases: bases, witnesses: witnesses)
    patience = watch.patience
  }

  /// Starts its threads. Once.
  package func start() {
    state.withLock { state in
      precondition(!state.hasStarted)
      state.hasStarted = true
      state.threads = 2 * lanes.count
    }
    for lane in lanes {
      spawn("vbert prefetch") { pipeline in
        lane.prefetchBatches()
        pipeline.leave()
      }
      spawn("vbert compute") { pipeline in
        lane.computeBatches()
        pipeline.leave()
      }
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
    for lane in lanes {
      if case .unhealthy(let why) = lane.flights.verdict { return .unhealthy(why) }
    }
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
  /// The watch: deadlines hold wherever a request is, and whatever the lanes are doing.
  private func watch() {
    while !state.withLock(\.hasStopped) {
      Thread.sleep(forTimeInterval: 0.05)
      intake.expire()
      for lane in lanes {
        let (probe, hung) = lane.flights.check()
        for failure in hung { metrics.note(failure: failure) }
        if let probe { ask(lane, inDoubt: probe) }
        // Its thread may never come back.
        if intake.isStopping, lane.flights.isHung { end() }
      }
    }
  }

  /// Probes from a thread of its own: a disk that hangs must not hold up the watch.
  private func ask(_ lane: Lane, inDoubt: Bool) {
    spawn("vbert probe") { pipeline in
      let storage = pipeline.probe.witnesses?.storageFailure()
      Task {
        var failure = await pipeline.probe.run(
          inDoubt: inDoubt, suspects: lane.flights.suspects, within: pipeline.patience)
        failure = failure ?? storage
        if let failure {
          pipeline.metrics.note(
            failure: BatchFailure(stage: .probe, sequences: 1, why: failure))
        }
        lane.flights.note(.probed(failure: failure))
      }
    }
  }
}
