internal import Compute
internal import Manager
internal import Model
package import Trainer

extension AccuracyTrial {
  /// The rows that a customer brings, as drawn.
  package struct Draw: Sendable {
    /// From 1; also the seed of drawing and of training.
    package let number: Int
    package let rows: Examples

    /// `train`: all rows that there are.
    package init(_ number: Int, of cell: FewRowsCell, train: Examples) {
      self.number = number
      let seed = UInt64(clamping: number)
      rows = train.rows(cell.rows(draw: seed, of: train.targets))
    }

    var seed: UInt64 { UInt64(clamping: number) }
  }

  /// Of a training on few rows.
  package struct FewRowsOutcome: Sendable {
    /// Of test rows.
    package var scores: Scores
    /// What it said of itself, without test rows.
    package var dev: Double
    package var epochs: Int
    /// Of training: of what trains together its share, by tokens.
    package var seconds: Double
  }

  /// Trains a candidate on every draw, as `vbert train` would on these rows alone, and measures it on the
  /// task's test rows; outcomes in the order of draws. A draw's number is its seed. Draws of one adapter
  /// train together.
  package func fewRows(
    _ candidate: AccuracyCandidate, draws: [Draw], rows: AccuracyRows, settings: Settings
  ) throws -> [FewRowsOutcome] {
    var spec = rows.spec
    (spec.base, spec.baseHash) = (candidate.base.name, candidate.base.record.contentHash)
    var options = settings.options
    switch candidate.training {
    case .full: options.rate = settings.fullRate
    case .adapter(let adapter):
      spec.adapter = adapter ?? .standard(for: spec.task)
      options.rate = settings.adapterRate ?? TrainingOptions.rate(for: spec)
    }
    let jobs = draws.map { draw in
      var own = options
      own.seed = draw.seed
      let wish = candidate.training == .full ? .byEpochs : TrainingWish.effort(candidate.effort)
      // Of one row none can be held out.
      if draw.rows.count > 1, let effort = wish.effort(spec.task, rows: draw.rows.count) {
        var few = FewRows(effort: effort, names: rows.names)
        few.rate = settings.adapterRate
        return TrainingJob.onFewRows(
          few, spec: spec, rows: draw.rows, dev: .none, options: own)
      }
      let (train, dev) = AccuracyTrial.keptBack(draw.rows, own)
      own.epochs = own.epochs(rows: train.count)
      return TrainingJob(spec: spec, train: train, dev: dev, options: own)
    }
    // A base that trains does so for one alone.
    let groups = candidate.training == .full ? jobs.map { [$0] } : [jobs]
    return try groups.flatMap { try run($0, candidate, test: rows.test) }
  }

  private func run(
    _ jobs: [TrainingJob], _ candidate: AccuracyCandidate, test: Examples
  ) throws -> [FewRowsOutcome] {
    guard let options = jobs.first?.options, let spec = jobs.first?.spec else { return [] }
    let (clock, start) = (ContinuousClock(), ContinuousClock.now)
    let base = candidate.base
    let model = try model(of: base)
    let lookup = try lookup(candidate, .exact, model)
    let budget = jobs.count * max(options.tokenBudget, spec.maxLength)
    let outcomes: [TrainingJob.Outcome]
    let measure: (Int) throws -> Scores
    if jobs.allSatisfy({ $0.few != nil }) {
      outcomes = try FewRowsTraining(
        model: model, lookup: lookup, source: base.weights, backend: backend,
        tokenBudget: budget, stateBytes: options.stateBytes
      ).run(jobs).map { try $0.get() }
      measure = { [backend] number in
        let outcome = outcomes[number]
        let predictor = try Predictor(
          spec: outcome.spec, adapter: outcome.adapter, base: model, lookup: lookup,
          backend: backend, tokenBudget: budget)
        return Scores(
          test, spec: outcome.spec, logits: try predictor.outputs(test.sequences))
      }
    } else {
      let upper = try UpperEncoder(base: model, backend: backend, tokenBudget: budget)
      let group = try TrainingGroup(
        jobs, source: base.weights, entry: Entry(upper, lookup: lookup),
        configuration: base.configuration, trainsBase: candidate.training == .full,
        backend: backend, tokenBudget: budget, stateBytes: options.stateBytes)
      outcomes = try group.run().map { try $0.get() }
      measure = { try group.measure(test, of: $0) }
    }
    let seconds = (clock.now - start) / .seconds(1)
    let tokens = max(1, outcomes.reduce(0) { $0 + $1.tokens })
    return try outcomes.enumerated().map { number, outcome in
      FewRowsOutcome(
        scores: try measure(number), dev: outcome.best.dev.value, epochs: outcome.epochs.count,
        seconds: seconds * Double(outcome.tokens) / Double(tokens))
    }
  }

  /// Rows to learn from, in the order they were drawn in, and at least one to measure epochs on. Of one row
  /// both are that row.
  static func keptBack(_ rows: Examples, _ options: TrainingOptions) -> (
    train: Examples, dev: Examples
  ) {
    let count = Int((Double(rows.count) * options.devShare).rounded(.up))
    guard count < rows.count else { return (rows, rows) }
    var random = SplitMix(seed: options.seed ^ 0x6465_7600)
    let order = random.permutation(rows.count)
    return (rows.rows(order.dropFirst(count).sorted()), rows.rows(order.prefix(count).sorted()))
  }
}
