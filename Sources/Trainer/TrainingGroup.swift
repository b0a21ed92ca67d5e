package import Compute
internal import Manager
package import Model

/// Trains vBERTs of one kind in the same batches, one alone as well as many: in every round each job takes
/// its next step, on its own rows, at its own rate; a job that is over drops out, with its best epoch's
/// parameters. Every job goes the way that it goes alone (`TrainingCourse`), with the same rows, draws and
/// parts, so that results differ from training alone by rounding only. For one seed, machine, options and
/// company the result is the same to the bit.
package final class TrainingGroup {
  /// A job on its way.
  private struct Running {
    let job: TrainingJob
    let lengths: [Int]
    let weights: [Float]?
    /// Numbers of its first sequences among all jobs'.
    let firstTrain, firstDev: Int
    var course: TrainingCourse
    var tokens = 0
    var failure: TrainingError?

    var isActive: Bool { failure == nil && !course.isOver }

    /// What a piece of the step that is begun drops.
    func dropout(piece: Int) -> Dropout {
      Dropout(
        seed: job.options.seed, step: course.step << 8 | piece,
        adapter: job.options.adapterDropout, head: job.options.dropout)
    }
  }

  private let training: AdapterTraining
  private let entry: Entry
  private let rows: TrainingRows
  private var jobs: [Running] = []

  /// Computes the frozen states, of which `stateBytes` are kept. All jobs are of one kind; `tokenBudget` is
  /// the longest batch, if that is longer than a job's own. `trainsBase`: one job, and the dense base
  /// trains with it. Throws what entry and backend throw.
  package init(
    _ list: [TrainingJob], source: any TensorSource, entry: Entry, configuration: Configuration,
    trainsBase: Bool = false, backend: any TrainableBackend, tokenBudget: Int = 0,
    stateBytes: Int, report: (TrainingEvent) -> Void = { _ in }
  ) throws {
    let begun = concurrentMap(list.count) { i -> (MemoryTensors, SplitMix) in
      var random = SplitMix(seed: list[i].options.seed)
      let seed = random.next()
      return (
        AdapterInitialization.tensors(list[i].spec, base: configuration, seed: seed), random
      )
    }
    let headRate = trainsBase ? 1 : try HeadRate.suiting(source, configuration)
    var sequences: [TokenSequence] = []
    for (given, (_, random)) in zip(list, begun) {
      var job = given
      job.options.headRate = job.options.headRate ?? headRate
      let (train, dev) = (sequences.count, sequences.count + job.train.sequences.count)
      sequences += job.train.sequences + job.dev.sequences
      jobs.append(
        Running(
          job: job, lengths: job.train.sequences.map(\.count),
          weights: job.options.classWeights == .balanced
            ? job.train.balancedWeights(job.spec) : nil, firstTrain: train, firstDev: dev,
          course: TrainingCourse(
            rows: job.train.count, classes: job.train.classes, options: job.options, random: random)
        ))
    }
    self.entry = entry
    training = try AdapterTraining(
      specs: list.map(\.spec), initial: begun.map(\.0), source: source,
      configuration: configuration, trainsBase: trainsBase, backend: backend,
      tokenBudget: max(tokenBudget, list.map(\.tokenBudget).max() ?? 0))
    rows = try TrainingRows(
      sequences, entry: entry, training: training, byteLimit: stateBytes
    ) { [count = sequences.count] in report(.preparing(done: $0, of: count)) }
  }

  /// Runs all to their ends; an outcome or what went wrong for each job, in order. Before each round
  /// `isCancelled` is asked: what is not over by then fails. Throws what the backend throws.
  package func run(
    isCancelled: () -> Bool = { false }, report: (TrainingEvent) -> Void = { _ in }
  ) throws -> [Result<TrainingJob.Outcome, TrainingError>] {
    var active = Array(jobs.indices)
    try measureUntrained()
    while !active.isEmpty {
      if isCancelled() { for number in active { jobs[number].failure = .cancelled } }
      let going = active.filter { jobs[$0].isActive }
      try step(going)
      for number in going where jobs[number].isActive {
        let (course, tokens) = (jobs[number].course, jobs[number].tokens)
        report(
          .step(
            job: number, number: course.step, of: course.steps, loss: course.meanLoss,
            tokens: tokens))
      }
      let ended = going.filter { jobs[$0].isActive && jobs[$0].course.isEpochDone }
      try measure(ended)
      for number in ended {
        if let epoch = jobs[number].course.epochs.last { report(.epoch(job: number, epoch)) }
      }
      for number in active where !jobs[number].isActive {
        report(.ended(job: number, jobs[number].failure))
      }
      active.removeAll { !jobs[$0].isActive }
    }
    return try jobs.indices.map(outcome)
  }

  private func outcome(of number: Int) throws -> Result<TrainingJob.Outcome, TrainingError> {
    let running = jobs[number]
    if let failure = running.failure { return .failure(failure) }
    guard let best = running.course.best else {
      return .failure(.diverged(step: running.course.step))
    }
    try training.parameters[number].restoreKept()
    return .success(
      TrainingJob.Outcome(
        adapter: try training.adapter(of: number), spec: running.job.spec,
        epochs: running.course.epochs, best: best,
        rows: running.course.epochs.count * running.job.train.count, tokens: running.tokens,
        steps: running.course.step))
  }

  /// A piece of a job's step that runs at once, as it would alone.
  private struct Piece {
    var job: Int
    /// Sequences.
    var rows: [Int]
    /// Where they are not told by the rows of the piece alone.
    var targets: AdapterTraining.Targets?
    var number: Int
    /// Of the whole step's losses.
    var share: Double
  }

  /// The next step of each of these jobs.
  private func step(_ active: [Int]) throws {
    guard !active.isEmpty else { return }
    var pieces: [[Piece]] = []
    try ParameterSet.clearGradients(of: active.map { training.parameters[$0] })
    try training.clearLosses()
    for number in active {
      let rows = jobs[number].course.next()
      let (job, weights) = (jobs[number].job, jobs[number].weights)
      let sequences = job.train.sequences(of: rows)
      jobs[number].tokens += sequences.reduce(0) { $0 + jobs[number].lengths[$1] }
      let whole = job.train.batch(rows, spec: job.spec, weights: weights).weight
      guard whole > 0 else { continue }
      let parts = Batches.pack(sequences, lengths: jobs[number].lengths, budget: job.tokenBudget)
      let compared = try compared(number, rows: rows, parts: parts)
      for (place, rows) in parts.enumerated() {
        if place == pieces.count { pieces.append([]) }
        pieces[place].append(
          Piece(
            job: number, rows: rows, targets: compared?[place], number: place, share: 1 / whole))
      }
    }
    // A job's pieces go one after another: two in a batch would add to one gradient at once.
    for pieces in pieces {
      for batch in pack(pieces) { try accumulate(batch) }
    }
    let losses = try training.readLosses()
    var steps: [AdamWItem] = []
    for number in active {
      do throws(TrainingError) { try jobs[number].course.add(losses[number]) } catch {
        jobs[number].failure = error
        continue
      }
      steps.append(
        Optimizer(jobs[number].job.options).item(
          training.parameters[number], number: jobs[number].course.step,
          rate: jobs[number].course.rate))
    }
    if !steps.isEmpty { try training.backend.adamW(steps) }
  }

  /// What the parts of an embedder's step learn, each text from all of the step's; nil for a job with a
  /// head. Where the step does not run at once, its vectors are computed first, with the same draws.
  private func compared(
    _ number: Int, rows: [Int], parts: [[Int]]
  ) throws -> [AdapterTraining.Targets]? {
    let running = jobs[number]
    guard let batch = running.job.comparing(rows, hidden: training.configuration.hiddenSize) else {
      return nil
    }
    guard parts.count > 1 else { return [.vectors(batch.callAsFunction)] }
    let pieces = parts.enumerated().map { place, part in
      (part.map { running.firstTrain + $0 }, running.dropout(piece: place))
    }
    return batch.targets(
      try training.vectors(of: number, pieces: pieces, in: self.rows), parts: parts.map(\.count))
  }

  /// Cuts pieces into batches that fit the token budget.
  private func pack(_ pieces: [Piece]) -> [[Piece]] {
    let tokens = pieces.map { piece in
      piece.rows.reduce(0) { $0 + jobs[piece.job].lengths[$1] }
    }
    return Batches.pack(Array(pieces.indices), lengths: tokens, budget: training.tokenBudget).map {
      $0.map { pieces[$0] }
    }
  }

  private func accumulate(_ batch: [Piece]) throws {
    var (numbers, parts): ([Int], [AdapterTraining.Part]) = ([], [])
    for piece in batch {
      let running = jobs[piece.job]
      let job = running.job
      parts.append(
        AdapterTraining.Part(
          vbert: piece.job, sequences: numbers.count..<numbers.count + piece.rows.count,
          targets: piece.targets
            ?? job.train.batch(piece.rows, spec: job.spec, weights: running.weights).targets,
          share: piece.share, dropout: running.dropout(piece: piece.number)))
      numbers += piece.rows.map { running.firstTrain + $0 }
    }
    try rows.withInput(of: numbers) { try training.accumulate($0, parts: parts) }
  }

  /// Ends the epoch of each of these jobs.
  private func measure(_ ended: [Int]) throws {
    for (number, scores) in zip(ended, try scores(of: ended)) {
      let epoch = jobs[number].course.end(
        scores, isMeasured: jobs[number].job.dev.count > 0)
      if epoch.isBest { try training.parameters[number].keep() }
    }
  }

  /// An embedder answers as its base does before it has learnt anything, and goes on to where no epoch is
  /// better. One with a head has nothing to say before.
  private func measureUntrained() throws {
    let embedders = jobs.indices.filter {
      jobs[$0].job.spec.task == .embed && jobs[$0].job.dev.count > 0
    }
    for (number, scores) in zip(embedders, try scores(of: embedders)) {
      jobs[number].course.begin(scores)
      try training.parameters[number].keep()
    }
  }

  /// What dev rows say of these jobs' parameters, as they are now.
  private func scores(of numbers: [Int]) throws -> [Scores] {
    let outputs = try training.outputs(
      numbers.map {
        ($0, jobs[$0].firstDev..<jobs[$0].firstDev + jobs[$0].job.dev.sequences.count)
      }, of: rows)
    return zip(numbers, outputs).map { number, outputs in
      Scores(jobs[number].job.dev, spec: jobs[number].job.spec, logits: outputs)
    }
  }

  /// How good a job's parameters are, as they are now, on other rows.
  package func measure(_ examples: Examples, of job: Int = 0) throws -> Scores {
    let rows = try TrainingRows(
      examples.sequences, entry: entry, training: training, byteLimit: 0)
    let outputs = try training.outputs([(job, 0..<examples.sequences.count)], of: rows)
    return Scores(examples, spec: jobs[job].job.spec, logits: outputs[0])
  }
}
