internal import Compute
package import Manager
package import Model

/// Trains what it is asked to and publishes the results: for a command line, and for a server. Requests
/// whose vBERTs have one base, domain and kind of adapter run in the same batches.
package struct TrainingService {
  package let store: AdapterStore
  /// Opens the base that a specification was made for.
  package let open: (VBertSpec) throws -> OpenedBase
  /// Tokens that run at once where many train, and bytes of states that are kept.
  package let room: (tokens: Int, bytes: Int)
  /// A remark to keep with the versions.
  package let note: String
  package let patience: Patience

  package init(
    store: AdapterStore, room: (tokens: Int, bytes: Int), note: String = "",
    patience: Patience = Patience(), open: @escaping (VBertSpec) throws -> OpenedBase
  ) {
    (self.store, self.room, self.note) = (store, room, note)
    (self.patience, self.open) = (patience, open)
  }

  /// Where a vBERT's n-gram rows come from.
  private struct Rows: Hashable {
    let base: String
    let domain: String?
    var key: String { "\(base) \(domain ?? "")" }

    init(_ vbert: VBertRecord) { (base, domain) = (vbert.spec.base, vbert.spec.domain) }
  }

  /// Reads and checks everything before a job exists: throws what is wrong with a request then, and
  /// nothing has begun. What fails later is its own result, unless a device or the disk fails, which is
  /// thrown. What `isCancelled` says is asked before every step.
  package func run(
    _ requests: [TrainingRequest], isCancelled: () -> Bool = { false },
    report tell: (TrainingEvent) -> Void = { _ in }
  ) async throws -> TrainingReport {
    let (clock, start) = (ContinuousClock(), ContinuousClock.now)
    var vberts: [VBertRecord] = []
    for request in requests { vberts.append(try await store.registry.vbert(request.name)) }
    let prepared = try concurrentMap(requests.count) { [vberts] i in
      Result { try PreparedTraining(requests[i], vberts[i]) }
    }.map { try $0.get() }
    for item in prepared {
      if let labels = item.data.spec.unseenLabels { tell(.unseen(item.vbert.name, labels)) }
    }
    var report = TrainingReport()
    report.readSeconds = (clock.now - start) / .seconds(1)
    var results = [TrainingResult?](repeating: nil, count: requests.count)
    // N-gram rows are a base's and a domain's: a vBERT must not learn on another domain's.
    for rows in Set(vberts.map(Rows.init)).sorted(by: { $0.key < $1.key }) {
      let mine = vberts.indices.filter { Rows(vberts[$0]) == rows }
      let reading = clock.now
      let opened = try open(vberts[mine[0]].spec)
      let jobs = try concurrentMap(mine.count) { [base = opened.base, vberts] i in
        Result { () throws -> TrainingJob in
          guard base.record.contentHash == vberts[mine[i]].spec.baseHash else {
            throw OpenedBaseError.replaced(base: base.name)
          }
          try vberts[mine[i]].spec.checkLength(base: base.configuration)
          return try prepared[mine[i]].job(on: base)
        }
      }.map { try $0.get() }
      report.readSeconds += (clock.now - reading) / .seconds(1)
      let all = zip(mine, jobs).map { Item(place: $0, vbert: vberts[$0], job: $1) }
      for kind in Set(jobs.map(\.kind)) {
        let items = all.filter { $0.job.kind == kind }
        let trained = try await train(items, opened, isCancelled, tell, &report)
        for (item, result) in zip(items, trained) {
          results[item.place] = TrainingResult(
            name: item.vbert.name, result: result, trainRows: item.job.train.count,
            devRows: item.job.dev.count,
            truncatedRows: item.job.train.truncated + item.job.dev.truncated)
        }
      }
    }
    report.results = results.compactMap(\.self)
    report.seconds = (clock.now - start) / .seconds(1)
    return report
  }

  /// A request on its way.
  private struct Item {
    let place: Int
    let vbert: VBertRecord
    let job: TrainingJob
  }

  private typealias Trained = TrainingResult.Trained

  private func train(
    _ items: [Item], _ opened: OpenedBase, _ isCancelled: () -> Bool,
    _ tell: (TrainingEvent) -> Void, _ report: inout TrainingReport
  ) async throws -> [Result<Trained, any Error>] {
    guard let backend = opened.backend as? any TrainableBackend else {
      throw ComputeError.unsupported(
        "training on \(opened.backend.name); train with --device cpu")
    }
    let running = try await store.registry.beginJobs(vberts: items.map(\.vbert.name))
    do {
      return try await train(items, running, opened, backend, isCancelled, tell, &report)
    } catch {
      try? await store.registry.fail(running, "\(error)")
      throw error
    }
  }

  private func train(
    _ items: [Item], _ running: [RunningJob], _ opened: OpenedBase,
    _ backend: any TrainableBackend, _ isCancelled: () -> Bool, _ tell: (TrainingEvent) -> Void,
    _ report: inout TrainingReport
  ) async throws -> [Result<Trained, any Error>] {
    let (clock, start) = (ContinuousClock(), ContinuousClock.now)
    tell(.began(items.map(\.vbert.name)))
    // One alone runs in batches of its own size.
    let tokens = items.count == 1 ? items[0].job.tokenBudget : room.tokens
    let upper = try UpperEncoder(
      base: opened.model, backend: opened.backend,
      tokenBudget: max(tokens, items.map(\.job.spec.maxLength).max() ?? 0))
    let group = try TrainingGroup(
      items.map(\.job), source: opened.base.weights,
      entry: Entry(upper, lookup: opened.lookup), configuration: opened.base.configuration,
      backend: backend, tokenBudget: tokens,
      stateBytes: items.count == 1 ? items[0].job.options.stateBytes : room.bytes, report: tell)
    try opened.confirm()
    let prepared = clock.now
    report.preparedSeconds += (prepared - start) / .seconds(1)
    var notes = JobNotes(running, in: store.registry)
    let outcomes = try group.run(isCancelled: isCancelled) { event in
      tell(event)
      notes.hear(event, now: clock.now)
    }
    let trained = clock.now
    report.trainedSeconds += (trained - prepared) / .seconds(1)
    tell(.publishing)
    defer { report.publishedSeconds += (clock.now - trained) / .seconds(1) }
    return await publish(items, running, outcomes, opened.base)
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
          metrics: Dictionary(
            uniqueKeysWithValues: outcome.best.dev.values.map { ("dev_\($0.key)", $0.value) }),
          note: note, job: pair.0)
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
        return Trained(outcome: outcome, version: version)
      }
      if case .failure(let error) = result {
        try? await store.registry.fail([running], "\(error)")
      }
      results.append(result)
    }
    return results
  }
}

/// Writes down how far jobs are, at most once a second.
private struct JobNotes {
  private let running: [RunningJob]
  private let registry: any RegistryStore
  private var waiting: [Int: [String: Double]] = [:]
  private var last: ContinuousClock.Instant?

  init(_ running: [RunningJob], in registry: any RegistryStore) {
    (self.running, self.registry) = (running, registry)
  }

  mutating func hear(_ event: TrainingEvent, now: ContinuousClock.Instant) {
    guard case .epoch(let job, let epoch) = event else { return }
    waiting[job] = epoch.dev.values.merging(["epoch": Double(epoch.number)]) { $1 }
    guard last.map({ now - $0 >= .seconds(1) }) ?? true else { return }
    last = now
    // Progress that cannot be written down is no reason to stop.
    let progress = waiting.sorted { $0.key < $1.key }.map {
      (job: running[$0.key], metrics: $0.value)
    }
    try? blocking { [registry] () async throws(RegistryError) in
      try await registry.note(progress)
    }
    waiting.removeAll()
  }
}
