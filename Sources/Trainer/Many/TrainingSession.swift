internal import Compute
internal import Manager
import Model

/// One list on its way through `TrainingService`: looked up, ordered, then read and trained wave by wave.
final class TrainingSession {
  let service: TrainingService
  let requests: [TrainingRequest]
  let isCancelled: () -> Bool
  let tell: (TrainingEvent) -> Void
  var report = TrainingReport()
  private var results: [TrainingResult?]
  private let start = ContinuousClock.now

  init(
    _ service: TrainingService, _ requests: [TrainingRequest],
    isCancelled: @escaping () -> Bool, tell: @escaping (TrainingEvent) -> Void
  ) {
    (self.service, self.requests) = (service, requests)
    (self.isCancelled, self.tell) = (isCancelled, tell)
    results = Array(repeating: nil, count: requests.count)
  }

  func run() async -> TrainingReport {
    let order = await order()
    report.readSeconds = seconds
    for group in order.groups where !isOver { await run(group) }
    let why = isCancelled() ? TrainingError.cancelled : .stopped
    report.results = results.enumerated().map { place, result in
      result ?? TrainingResult(name: requests[place].name, result: .failure(why))
    }
    report.seconds = seconds
    return report
  }

  private var seconds: Double { (ContinuousClock.now - start) / .seconds(1) }
  var isOver: Bool { report.stop != nil || isCancelled() }

  /// Says which requests can be trained; the others are at their end.
  private func order() async -> TrainingOrder {
    var order = TrainingOrder()
    for (place, request) in requests.enumerated() where !isOver {
      do {
        if let problem = request.problem { throw problem }
        let vbert = try await service.store.registry.vbert(request.name)
        try PreparedTraining.check(request, vbert)
        order.add(place, vbert.spec)
      } catch { fail([place], error) }
    }
    return order
  }

  private func run(_ group: TrainingOrder.Group) async {
    do {
      let reading = ContinuousClock.now
      let opened = try service.open(group.spec)
      let waves = try TrainingWaves(self, group, opened)
      report.readSeconds += (ContinuousClock.now - reading) / .seconds(1)
      try await waves.run()
    } catch {
      // Of the base, then: all that are left of its group.
      fail(group.places.filter { results[$0] == nil }, error)
    }
  }

  /// At their end, unless it is everybody's.
  func fail(_ places: [Int], _ error: any Error) {
    if Self.endsAll(error) {
      report.stop = report.stop ?? error
      return
    }
    for place in places { finish(place, .failure(error)) }
  }

  func finish(
    _ place: Int, _ result: Result<TrainingResult.Trained, any Error>, _ job: TrainingJob? = nil
  ) {
    var all = TrainingResult(name: requests[place].name, result: result)
    if let job {
      (all.trainRows, all.devRows) = (job.train.count, job.dev.count)
      all.truncatedRows = job.train.truncated + job.dev.truncated
    }
    all.seconds = seconds
    results[place] = all
    tell(.finished(all))
  }

  /// Where not one of a wave could be published because of the disk or the registry, the next would be
  /// trained for nothing.
  func stopIfNothingCanBeKept(_ results: [Result<TrainingResult.Trained, any Error>]) {
    var why: (any Error)?
    for result in results {
      switch result {
      case .success: return
      case .failure(let error) where Self.endsAll(error): why = why ?? error
      case .failure: break
      }
    }
    report.stop = report.stop ?? why
  }

  /// Whether the others would meet the same: the device or the registry failed, not one vBERT.
  static func endsAll(_ error: any Error) -> Bool {
    switch error {
    case is ComputeError: true
    case let error as RegistryError:
      switch error {
      case .noVBERT, .damaged: false
      default: true
      }
    case let error as AdapterError:
      switch error {
      case .unwritable, .kept: true
      case .registry(let why): endsAll(why)
      default: false
      }
    default: false
    }
  }
}
