package import Manager
internal import Model

/// Trains what was asked for over HTTP, one fine-tuning after the other: the queue, the fairness among tenants
/// and what has become of each are the registry's, so that any process may do it, and be killed.
package struct TrainingDesk {
  private let store: AdapterStore
  private let files: UploadedFiles
  private let service: TrainingService
  /// Waited for at every step.
  private let lease: () -> Void
  private let isOver: () -> Bool

  /// `service` trains. `lease` is called between steps and may take its time; `isOver`: this process is to end
  /// soon.
  package init(
    _ service: TrainingService, lease: @escaping () -> Void = {},
    isOver: @escaping () -> Bool = { false }
  ) {
    self.service = service
    store = service.store
    files = UploadedFiles(service.store.home)
    (self.lease, self.isOver) = (lease, isOver)
  }

  /// Trains the next one in the queue, to its end or until it is asked to stop; nil where none waits. What is
  /// wrong with it is written down with it. Throws what the registry does.
  package func runNext() async throws -> FineTuningRecord? {
    guard let claimed = try await store.registry.claimFineTuning() else { return nil }
    let log = FineTuningLog(claimed.record, store.registry)
    do {
      let request = try await request(claimed.record)
      try await run(request, claimed, log)
    } catch let error as RegistryError { throw error } catch {
      try await fail(claimed, log, error)
    }
    return try await store.registry.fineTuning(claimed.record.id, of: nil)
  }

  private func request(_ record: FineTuningRecord) async throws -> TrainingRequest {
    let name = VBertName(record.name, of: record.tenant)
    // Another may have its name by now.
    guard let vbert = try await store.registry.find(name), vbert.id == record.vbert else {
      throw FineTuningProblem.gone
    }
    for file in [record.wish.trainingFile] + [record.wish.validationFile].compactMap(\.self) {
      guard try await store.registry.file(file, of: record.tenant) != nil else {
        throw FineTuningProblem.fileGone
      }
    }
    var request = try record.wish.request(
      name, vbert.spec, data: files.path(of: record.wish.trainingFile),
      dev: record.wish.validationFile.map(files.path(of:)))
    request.fineTuning = record.number
    return request
  }

  private func run(
    _ request: TrainingRequest, _ claimed: ClaimedFineTuning, _ log: FineTuningLog
  ) async throws {
    log.say("training begins")
    let report = await service.run(
      [request],
      isCancelled: {
        lease()
        return isOver() || log.isAskedToStop
      },
      report: { event in
        lease()
        log.hear(event)
      })
    guard let result = report.results.first?.result else { throw TrainingError.stopped }
    switch result {
    case .success:
      // The version's own transaction has ended it, and told so.
      try await store.registry.end(claimed, as: .succeeded, error: nil)
    case .failure(TrainingError.cancelled): try await stop(claimed, log)
    case .failure(let error): throw report.stop ?? error
    }
  }

  private func stop(_ claimed: ClaimedFineTuning, _ log: FineTuningLog) async throws {
    let now = try await store.registry.fineTuning(claimed.record.id, of: nil)
    let state: FineTuningState
    switch now?.asked {
    case .cancel:
      log.say("cancelled; nothing was published")
      state = .cancelled
    case .pause:
      log.say("paused; when it is resumed it begins again")
      state = .paused
    case .resume, nil:
      log.say("its trainer was stopped: it begins again", .warn)
      state = .queued
    }
    // What is told of it comes before its end.
    await log.flush()
    try await store.registry.end(claimed, as: state, error: nil)
  }

  private func fail(
    _ claimed: ClaimedFineTuning, _ log: FineTuningLog, _ error: any Error
  ) async throws {
    let why = words(error, claimed.record)
    log.say(why, .error)
    await log.flush()
    try await store.registry.end(claimed, as: .failed, error: why)
  }

  /// Files are spoken of by their ids: where they are is nobody's business.
  private func words(_ error: any Error, _ record: FineTuningRecord) -> String {
    [record.wish.trainingFile, record.wish.validationFile].compactMap(\.self)
      .reduce("\(error)") { $0.replacing(files.path(of: $1), with: $1) }
  }
}
