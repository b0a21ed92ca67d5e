internal import Compute
package import Manager
package import Model

/// Trains what it is asked to and publishes the results: for a command line, and for a server. Requests
/// whose vBERTs have one base, domain and kind of adapter run in the same batches, as many at once as the
/// memory has room for.
package struct TrainingService {
  package let store: AdapterStore
  /// Opens the base that a specification was made for.
  package let open: (VBertSpec) throws -> OpenedBase
  package let room: TrainingRoom
  /// A remark to keep with the versions.
  package let note: String
  package let patience: Patience

  package init(
    store: AdapterStore, room: TrainingRoom, note: String = "",
    patience: Patience = Patience(), open: @escaping (VBertSpec) throws -> OpenedBase
  ) {
    (self.store, self.room, self.note) = (store, room, note)
    (self.patience, self.open) = (patience, open)
  }

  /// What is wrong with a request is its own result, and the others go on; what can be told without reading
  /// rows is told before anything begins. A device, a registry or a disk that fails ends all
  /// (`TrainingReport.stop`); what was published by then stays. What `isCancelled` says is asked before
  /// every step.
  package func run(
    _ requests: [TrainingRequest], isCancelled: @escaping () -> Bool = { false },
    report tell: @escaping (TrainingEvent) -> Void = { _ in }
  ) async -> TrainingReport {
    let session = TrainingSession(self, requests, isCancelled: isCancelled, tell: tell)
    return await session.run()
  }

  /// A request on its way.
  struct Item: Sendable {
    let place: Int
    let vbert: VBertRecord
    let job: TrainingJob
  }

  typealias Trained = TrainingResult.Trained

  /// Trains vBERTs of one kind and publishes them; `running` are their jobs. Throws what ends them all,
  /// which is written down with the jobs.
  func train(
    _ items: [Item], _ running: [RunningJob], _ opened: OpenedBase, tokens: Int, stateBytes: Int,
    _ isCancelled: () -> Bool, _ tell: (TrainingEvent) -> Void, _ report: inout TrainingReport
  ) async throws -> [Result<Trained, any Error>] {
    do {
      guard let backend = opened.backend as? any TrainableBackend else {
        throw ComputeError.unsupported(
          "training on \(opened.backend.name); train with --device cpu")
      }
      let (clock, start) = (ContinuousClock(), ContinuousClock.now)
      tell(.began(items.map(\.vbert.name)))
      let course = try course(items, opened, backend, tokens, stateBytes, tell)
      try opened.confirm()
      let prepared = clock.now
      report.preparedSeconds += (prepared - start) / .seconds(1)
      let notes = JobNotes(running, in: store.registry)
      let outcomes = try course(isCancelled) { event in
        tell(event)
        notes.hear(event, now: clock.now)
      }
      await notes.end()
      let trained = clock.now
      report.trainedSeconds += (trained - prepared) / .seconds(1)
      tell(.publishing)
      defer { report.publishedSeconds += (clock.now - trained) / .seconds(1) }
      return await publish(items, running, outcomes, opened.base)
    } catch {
      try? await store.registry.fail(running, "\(error)")
      throw error
    }
  }

  private typealias Course = (_ isCancelled: () -> Bool, _ tell: (TrainingEvent) -> Void) throws
    -> [Result<TrainingJob.Outcome, TrainingError>]

  /// What trains vBERTs of one kind.
  private func course(
    _ items: [Item], _ opened: OpenedBase, _ backend: any TrainableBackend, _ tokens: Int,
    _ stateBytes: Int, _ tell: (TrainingEvent) -> Void
  ) throws -> Course {
    let jobs = items.map(\.job)
    let budget = max(tokens, jobs.map(\.spec.maxLength).max() ?? 0)
    guard jobs.allSatisfy({ $0.few == nil }) else {
      let few = FewRowsTraining(
        model: opened.model, lookup: opened.lookup, source: opened.base.weights,
        backend: backend, tokenBudget: budget, stateBytes: stateBytes)
      return { try few.run(jobs, isCancelled: $0, report: $1) }
    }
    let upper = try UpperEncoder(
      base: opened.model, backend: opened.backend, tokenBudget: budget)
    let group = try TrainingGroup(
      jobs, source: opened.base.weights, entry: Entry(upper, lookup: opened.lookup),
      configuration: opened.base.configuration, backend: backend, tokenBudget: tokens,
      stateBytes: stateBytes, report: tell)
    return { try group.run(isCancelled: $0, report: $1) }
  }

  /// One that fails is no reason to lose the others.
  private func publish(
    _ items: [Item], _ running: [RunningJob],
    _ outcomes: [Result<TrainingJob.Outcome, TrainingError>], _ base: Base
  ) async -> [Result<Trained, any Error>] {
    let publications = zip(items, zip(running, outcomes)).compactMap { item, pair in
      (try? pair.1.get()).map { outcome in
        AdapterStore.Publication(
          outcome.adapter, as: item.vbert, spec: outcome.spec,
          metrics: outcome.metrics,
          note: [note, outcome.recipe?.description ?? ""].filter { !$0.isEmpty }.joined(
            separator: "; "), job: pair.0,
          work: TrainingWork(rows: outcome.rows, tokens: outcome.tokens))
      }
    }
    var versions = await store.publish(
      publications, base: base.configuration, patience: patience
    ).makeIterator()
    var results: [Result<Trained, any Error>] = []
    for (running, outcome) in zip(running, outcomes) {
      let result = Result { () throws -> Trained in
        let outcome = try outcome.get()
        guard let version = try versions.next()?.get() else { throw TrainingError.cancelled }
        return Trained(outcome, version)
      }
      if case .failure(let error) = result {
        try? await store.registry.fail([running], "\(error)")
      }
      results.append(result)
    }
    return results
  }
}
