package import Compute
package import Model

/// Trains vBERTs that have few rows. The head is found on frozen states first, a convex problem (Tian et al.
/// 2020 for why that goes far); then an adapter is tuned: a classifier's so that texts of one label come
/// together (supervised contrast: Khosla et al. 2020; with few rows: Tunstall et al. 2022), others' by the
/// task's own loss; and the head is found anew. Which way is taken is told by rows that were held out. Every
/// vBERT goes the way that it goes alone.
package struct FewRowsTraining {
  let model: BaseModel
  let lookup: RowLookup?
  let source: any TensorSource
  let backend: any TrainableBackend
  let tokenBudget, stateBytes: Int
  var configuration: Configuration { model.configuration }

  /// `source` holds the base's upper layers. A skip base needs `lookup`.
  package init(
    model: BaseModel, lookup: RowLookup?, source: any TensorSource,
    backend: any TrainableBackend, tokenBudget: Int, stateBytes: Int
  ) {
    (self.model, self.lookup, self.source) = (model, lookup, source)
    (self.backend, self.tokenBudget, self.stateBytes) = (backend, tokenBudget, stateBytes)
  }

  /// A job on its way.
  struct Running {
    let job: TrainingJob
    let few: FewRows
    /// On frozen states.
    let rows: HeadRows
    let folds: Folds
    /// The way to find its head that was chosen.
    let trial: HeadTrial

    /// Whether rows of one label can come together, and rows held out tell of it.
    var triesAdapter: Bool {
      guard few.effort.tunes(job.spec), job.train.count > 1 else { return false }
      guard job.spec.task == .classify, let classes = job.train.labelClasses else {
        return job.spec.task != .classify
      }
      let counts = Dictionary(classes.map { ($0, 1) }, uniquingKeysWith: +)
      return counts.count > 1 && counts.values.contains { $0 > 1 }
    }
  }

  /// A job whose states are computed.
  private typealias Begun = (job: TrainingJob, few: FewRows, rows: HeadRows, folds: Folds)

  /// All jobs have `few`. An outcome or what went wrong for each, in order. Throws what the backend throws.
  package func run(
    _ jobs: [TrainingJob], isCancelled: () -> Bool = { false },
    report: (TrainingEvent) -> Void = { _ in }
  ) throws -> [Result<TrainingJob.Outcome, TrainingError>] {
    var begun: [Begun] = []
    var done = 0
    let all = jobs.reduce(0) { $0 + $1.train.count }
    for job in jobs {
      if isCancelled() { return jobs.map { _ in .failure(.cancelled) } }
      guard let few = job.few else { preconditionFailure("a job by epochs") }
      let rows = try headRows(job, few, job.spec.headAlone, adapter: nil)
      let folds = Folds(job.train, count: FewRows.headFolds, seed: job.options.seed)
      begun.append((job, few, rows, folds))
      done += job.train.count
      report(.preparing(done: done, of: all))
    }
    let running = try chooseHeads(begun, report: report)
    let tuned = try tune(running, isCancelled: isCancelled, report: report)
    if isCancelled() { return jobs.map { _ in .failure(.cancelled) } }
    var results: [Result<TrainingJob.Outcome, TrainingError>] = []
    for (number, running) in running.enumerated() {
      let result: Result<TrainingJob.Outcome, TrainingError>
      switch tuned[number] {
      case .failure(let error)?: result = .failure(error)
      case .success(let tuned)?: result = .success(try outcome(running, tuned))
      case nil: result = .success(try outcome(running, nil))
      }
      var failure: TrainingError?
      if case .failure(let error) = result { failure = error }
      report(.ended(job: number, failure))
      results.append(result)
    }
    return results
  }

  /// What the encoder makes of a job's rows, and behind them of its labels' names.
  func headRows(
    _ job: TrainingJob, _ few: FewRows, _ spec: VBertSpec, adapter: HostAdapter?
  ) throws -> HeadRows {
    HeadRows(
      job.train, names: few.names.count, spec: spec, hidden: configuration.hiddenSize,
      outputs: try states(job.train.sequences + few.names, spec, adapter))
  }

  /// Of each sequence the pooled state, or for tags all tokens' states.
  func states(
    _ sequences: [TokenSequence], _ spec: VBertSpec, _ adapter: HostAdapter?
  ) throws -> [[Float]] {
    var spec = spec
    if spec.task != .tag { spec.task = .embed }
    spec.labels = []
    let bare = HostAdapter(
      bottlenecks: adapter?.bottlenecks ?? [], lowRanks: adapter?.lowRanks ?? [])
    return try Predictor(
      spec: spec, adapter: bare, base: model, lookup: lookup, backend: backend,
      tokenBudget: tokenBudget
    ).outputs(sequences)
  }

  private func chooseHeads(
    _ begun: [Begun], report: (TrainingEvent) -> Void
  ) throws -> [Running] {
    let questions = begun.map { item in
      HeadTrials.Question(
        rows: item.rows,
        candidates: item.few.candidates(item.job.spec, rows: item.job.train.count),
        splits: (0..<item.folds.count).map { HeadSplit(item.folds, without: $0) }
          + [HeadSplit(learnt: Array(item.rows.rows), held: [])])
    }
    let all = questions.reduce(0) { $0 + $1.candidates.count * $1.splits.count }
    let found = try HeadTrials(backend: backend).run(questions) {
      report(.heads(done: $0, of: all))
    }
    return zip(begun, found).map { item, trials in
      Running(
        job: item.job, few: item.few, rows: item.rows, folds: item.folds,
        trial: trials[HeadChoice.best(trials.map(\.quality), errors: item.few.errors)])
    }
  }
}
