internal import Compute
internal import Manager
internal import Model

/// Two threads that overlap on different batches: one closes a batch and fetches what it needs, the
/// other computes the one before. Between them a slot for one batch, so that the device never waits
/// for what could have been ready, and nothing is closed earlier than it must.
final class Lane: Sendable {
  /// Of the pipeline's, from 0.
  private let number: Int
  private let intake: Intake
  /// The compute thread's.
  private let backend: any Backend
  private let prefetch: Prefetch
  private let trace: Trace?
  private let metrics: ServingMetrics
  private let handover = Handover<PreparedBatch>()
  let flights: Flights

  init(
    _ number: Int, intake: Intake, backend: any Backend, prefetch: Prefetch, trace: Trace?,
    metrics: ServingMetrics, watch: HealthWatch.Settings
  ) {
    self.number = number
    self.intake = intake
    self.backend = backend
    self.prefetch = prefetch
    self.trace = trace
    self.metrics = metrics
    flights = Flights(watch)
  }

  /// The first thread: the fair queue picks, the policy closes, adapters and n-gram rows are fetched.
  func prefetchBatches() {
    var batches = 0
    while true {
      handover.reserve()
      guard let closed = intake.nextBatch(lane: number) else { break }
      batches += 1
      flights.begin(batches, closed.elements, expected: closed.prepare)
      let batch = prefetch.prepare(closed.elements, number: batches)
      flights.note(.left(.prefetch, batch: batches))
      for part in batch.parts {
        intake.note(
          .prepared(
            base: part.base.name, units: part.units, tokens: part.packed.layout.rows,
            took: part.took), lane: number)
      }
      for failure in batch.failures { note(failure) }
      handover.put(batch)
    }
    handover.put(nil)
  }

  /// The second thread: encoder and heads, then the answers.
  func computeBatches() {
    let execution = Execution(backend: backend, tokenBudget: intake.tokenBudget)
    while let batch = handover.take() {
      for work in batch.parts.flatMap(\.works) where work.isUnwanted {
        work.answer(.failure(.cancelled))
      }
      let parts = batch.parts.compactMap(\.wanted)
      var units: [String: Double] = [:]
      for part in parts { units[part.base.name, default: 0] += part.units }
      let expected = intake.expected(.compute, units, lane: number)
      flights.note(.entered(.compute, batch: batch.number, expected: expected))
      intake.note(.started(expected: expected, at: .now), lane: number)
      for part in parts { run(part, of: batch, on: execution) }
      intake.note(.ended, lane: number)
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
        trace.span(layer == 0 ? "enter" : "layer \(layer)", .compute(number), from: mark)
        mark = .now
      }
      let end = ContinuousClock.now
      if !part.works.allSatisfy(\.isProbe) {
        metrics.note(batch: part, lookup: begin - batch.closed, compute: end - begin)
      }
      intake.note(
        .computed(
          base: part.base.name, units: part.units, tokens: part.packed.layout.rows,
          took: end - begin), lane: number)
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
      trace?.span("heads", .compute(number), from: mark, to: end)
      trace?.span(
        "batch \(batch.number)", .compute(number), from: begin, to: end,
        [
          "base": .text(part.base.name), "vberts": .number(Double(part.runs.count)),
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
