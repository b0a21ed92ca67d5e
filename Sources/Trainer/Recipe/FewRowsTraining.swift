package import Compute
package import Model

/// Trains vBERTs that have few rows. The head is found on frozen states first, a convex problem (Tian et al.
/// 2020 for why that goes far); then an adapter is tuned so that texts of one label come together
/// (supervised contrast: Khosla et al. 2020; with few rows: Tunstall et al. 2022), and the head is found
/// anew. Which way is taken is told by rows that were held out. Every vBERT goes the way that it goes alone.
package struct FewRowsTraining {
  private let model: BaseModel
  private let lookup: RowLookup?
  private let source: any TensorSource
  private let backend: any TrainableBackend
  private let tokenBudget, stateBytes: Int
  private var configuration: Configuration { model.configuration }

  /// `source` holds the base's upper layers. A skip base needs `lookup`.
  package init(
    model: BaseModel, lookup: RowLookup?, source: any TensorSource,
    backend: any TrainableBackend, tokenBudget: Int, stateBytes: Int
  ) {
    (self.model, self.lookup, self.source) = (model, lookup, source)
    (self.backend, self.tokenBudget, self.stateBytes) = (backend, tokenBudget, stateBytes)
  }

  /// A job on its way.
  private struct Running {
    let job: TrainingJob
    let few: FewRows
    /// On frozen states.
    let rows: HeadRows
    let folds: Folds
    /// The way to find its head that was chosen.
    let trial: HeadTrial

    /// Texts of one label can come together where there are two of some.
    var triesAdapter: Bool {
      guard few.effort.tunes(job.spec), let classes = job.train.labelClasses else { return false }
      let counts = Dictionary(classes.map { ($0, 1) }, uniquingKeysWith: +)
      return counts.count > 1 && counts.values.contains { $0 > 1 }
    }

    func contrast(_ learnt: [Int], isPart: Bool) -> TrainingJob {
      job.contrast(
        learnt, names: trial.candidate.usesNames ? few.names : [], seed: job.options.seed,
        isPart: isPart)
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
      let folds = Folds(
        rows: job.train.count, classes: job.train.labelClasses,
        count: min(FewRows.headFolds, job.train.count), seed: job.options.seed)
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
  private func headRows(
    _ job: TrainingJob, _ few: FewRows, _ spec: VBertSpec, adapter: HostAdapter?
  ) throws -> HeadRows {
    HeadRows(
      job.train, names: few.names.count, spec: spec, hidden: configuration.hiddenSize,
      outputs: try states(job.train.sequences + few.names, spec, adapter))
  }

  /// Of each sequence the pooled state, or for tags all tokens' states.
  private func states(
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

  /// An adapter tuned on all rows with its head, and how it fared on rows that were held out beside a head
  /// alone that learnt from the same.
  private struct Tuned {
    var adapter: HostAdapter
    var head: HeadSolution
    var trial: HeadTrial
    var alone: HeadTrial
    var steps: Int
    var tokens: Int
  }

  /// Of those jobs whose recipe tries an adapter.
  private func tune(
    _ running: [Running], isCancelled: () -> Bool, report: (TrainingEvent) -> Void
  ) throws -> [Int: Result<Tuned, TrainingError>] {
    let numbers = running.indices.filter { running[$0].triesAdapter }
    guard !numbers.isEmpty else { return [:] }
    var jobs: [TrainingJob] = []
    var folds: [Int: Folds] = [:]
    for number in numbers {
      let item = running[number]
      let parts = Folds(
        rows: item.job.train.count, classes: item.job.train.labelClasses,
        count: FewRows.adapterFolds, seed: item.job.options.seed &+ 1)
      folds[number] = parts
      for fold in 0..<parts.count {
        jobs.append(item.contrast(parts.learnt(without: fold), isPart: true))
      }
      jobs.append(item.contrast(Array(item.rows.rows), isPart: false))
    }
    let group = try TrainingGroup(
      jobs, source: source,
      entry: Entry(
        try UpperEncoder(base: model, backend: backend, tokenBudget: tokenBudget), lookup: lookup),
      configuration: configuration, backend: backend, tokenBudget: tokenBudget,
      stateBytes: stateBytes)
    let each = FewRows.adapterFolds + 1
    let outcomes = try group.run(isCancelled: isCancelled) { event in
      // A vBERT is as far as its last part.
      if case .step(let job, let step, let all, let loss, let tokens) = event,
        job % each == each - 1
      {
        report(
          .step(job: numbers[job / each], number: step, of: all, loss: loss, tokens: tokens))
      }
    }
    var results: [Int: Result<Tuned, TrainingError>] = [:]
    for (place, number) in numbers.enumerated() {
      let own = outcomes[place * each..<(place + 1) * each]
      do {
        let list = try own.map { try $0.get() }
        if let parts = folds[number] {
          results[number] = .success(try tuned(running[number], parts, list))
        }
      } catch let error as TrainingError {
        results[number] = .failure(error)
      } catch is NotFinite {
        // Its parameters are, since the last step whose loss was still a number.
        results[number] = .failure(.diverged(step: (try? own.last?.get())?.steps ?? 0))
      }
    }
    return results
  }

  /// Heads on what the adapters of one job's parts, and of all its rows, make of its rows.
  private func tuned(
    _ item: Running, _ folds: Folds, _ outcomes: [TrainingJob.Outcome]
  ) throws -> Tuned {
    let spec = item.job.spec.headAlone.withOffered
    let candidate = item.trial.candidate
    let rows = try outcomes.map { try headRows(item.job, item.few, spec, adapter: $0.adapter) }
    var questions = (0..<folds.count).map { fold in
      HeadTrials.Question(
        rows: rows[fold], candidates: [candidate], splits: [HeadSplit(folds, without: fold)])
    }
    questions.append(
      HeadTrials.Question(
        rows: rows[folds.count], candidates: [candidate],
        splits: [HeadSplit(learnt: Array(item.rows.rows), held: [])]))
    questions.append(
      HeadTrials.Question(
        rows: item.rows, candidates: [candidate],
        splits: (0..<folds.count).map { HeadSplit(folds, without: $0) }))
    let trials = try HeadTrials(backend: backend).run(questions).map { $0[0] }
    var held = [[Float]](repeating: [], count: item.rows.rows.count)
    for trial in trials.prefix(folds.count) {
      for (row, logits) in trial.held.enumerated() where !logits.isEmpty { held[row] = logits }
    }
    let whole = trials[folds.count]
    return Tuned(
      adapter: outcomes[folds.count].adapter, head: whole.heads[0],
      trial: HeadTrial(
        candidate: candidate, heads: whole.heads, held: held,
        quality: held.enumerated().map { rows[0].quality(of: $0.offset, $0.element) }),
      alone: trials[folds.count + 1],
      steps: outcomes[folds.count].steps,
      tokens: outcomes.reduce(0) { $0 + $1.tokens })
  }

  private func outcome(_ item: Running, _ tuned: Tuned?) throws -> TrainingJob.Outcome {
    let taken = tuned.flatMap { tuned in
      HeadChoice.isWorth(tuned.trial.quality, over: tuned.alone.quality) ? tuned : nil
    }
    let alone = item.job.spec.headAlone
    let spec = taken == nil ? alone : alone.withOffered
    let head = taken?.head ?? item.trial.heads[item.folds.count]
    var adapter = HostAdapter(
      bottlenecks: taken?.adapter.bottlenecks ?? [], lowRanks: taken?.adapter.lowRanks ?? [])
    adapter.head = HostMatrix(
      weight: head.weight, bias: head.bias, outputs: head.outputs,
      inputs: configuration.hiddenSize)
    func scores(_ held: [[Float]]) -> Scores { Scores(item.job.train, spec: spec, logits: held) }
    let headScores = scores(tuned?.alone.held ?? item.trial.held)
    let adapted = tuned.map { scores($0.trial.held) }
    var dev = (taken == nil ? nil : adapted) ?? scores(item.trial.held)
    if item.job.dev.count > 0 {
      let vectors = try states(item.job.dev.sequences, spec, taken == nil ? nil : adapter)
      let rows = HeadRows(
        item.job.dev, names: 0, spec: spec, hidden: configuration.hiddenSize, outputs: vectors)
      dev = Scores(
        item.job.dev, spec: spec, logits: rows.rows.map { rows.outputs(of: $0, by: head) })
    }
    let recipe = TrainingRecipe(
      effort: item.few.effort, rows: item.job.train.count, labels: spec.labels.count,
      candidate: item.trial.candidate, adapter: spec.adapter, steps: tuned?.steps ?? 0,
      metric: headScores.primary, headScore: headScores.value, adapterScore: adapted?.value,
      folds: tuned == nil ? item.folds.count : FewRows.adapterFolds,
      measured: item.job.dev.count == 0 ? .crossValidation : item.few.measure)
    let epoch = TrainingJob.Epoch(number: 1, loss: dev.loss, dev: dev, isBest: true)
    return TrainingJob.Outcome(
      adapter: adapter, spec: spec, epochs: [epoch], best: epoch, rows: item.job.train.count,
      tokens: item.job.train.tokens + (tuned?.tokens ?? 0), steps: tuned?.steps ?? 0, recipe: recipe
    )
  }
}
