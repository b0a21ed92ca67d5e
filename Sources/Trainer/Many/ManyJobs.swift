package import Compute
internal import Manager
package import Model

/// Trains many vBERTs of one kind in the same batches: in every round each job takes its next step, on
/// its own rows, at its own rate; a job that is over drops out. Every job goes the way that it goes alone
/// (`TrainingCourse`), with the same rows, draws and parts, so that results differ from training alone
/// by rounding only.
package final class ManyJobs {
  /// What one vBERT is trained on.
  package struct Job {
    package var spec: VBertSpec
    package var train, dev: Examples
    package var options: TrainingOptions

    /// `spec` has its labels.
    package init(spec: VBertSpec, train: Examples, dev: Examples, options: TrainingOptions) {
      (self.spec, self.train, self.dev, self.options) = (spec, train, dev, options)
    }

    /// Jobs of one kind can train together.
    package var kind: AnyHashable { AnyHashable(ManyTraining.Kind(spec)) }
  }

  /// A job on its way.
  private struct Running {
    let job: Job
    let lengths: [Int]
    let weights: [Float]?
    /// Numbers of its first rows among all jobs' sequences.
    let firstTrain, firstDev: Int
    var course: TrainingCourse
    var tokens = 0
    var failure: TrainingError?

    var isActive: Bool { failure == nil && !course.isOver }
  }

  private let training: ManyTraining
  private let states: FrozenStates
  private let lengths: [Int]
  private var jobs: [Running] = []

  /// How far all are.
  package struct Progress: Sendable {
    /// Frozen states computed, of all; then 0.
    package var prepared = 0
    package var steps = 0
    package var ofSteps = 0
    package var running = 0
  }

  /// Computes the frozen states. All jobs are of one kind. `tokenBudget` is the longest batch.
  package init(
    _ list: [Job], source: any TensorSource, entry: Entry, configuration: Configuration,
    backend: any TrainableBackend, tokenBudget: Int, stateBytes: Int,
    report: (Progress) -> Void = { _ in }
  ) throws {
    let begun = concurrentMap(list.count) { i -> (MemoryTensors, SplitMix) in
      var random = SplitMix(seed: list[i].options.seed)
      let seed = random.next()
      return (
        AdapterInitialization.tensors(list[i].spec, base: configuration, seed: seed), random
      )
    }
    var sequences: [TokenSequence] = []
    for (job, (_, random)) in zip(list, begun) {
      let (train, dev) = (sequences.count, sequences.count + job.train.count)
      sequences += job.train.sequences + job.dev.sequences
      jobs.append(
        Running(
          job: job, lengths: job.train.sequences.map(\.count),
          weights: job.options.classWeights == .balanced
            ? job.train.balancedWeights(job.spec) : nil, firstTrain: train, firstDev: dev,
          course: TrainingCourse(rows: job.train.count, options: job.options, random: random)))
    }
    lengths = sequences.map(\.count)
    let longest = list.map { max($0.options.tokenBudget, $0.spec.maxLength) }.max() ?? 0
    training = try ManyTraining(
      specs: list.map(\.spec), initial: begun.map(\.0), source: source,
      configuration: configuration,
      backend: backend, tokenBudget: max(tokenBudget, longest))
    states = try FrozenStates(sequences, entry: entry, base: training, byteLimit: stateBytes) {
      report(Progress(prepared: $0))
    }
  }

  /// Runs all to their ends; an outcome or what went wrong for each job, in order.
  package func run(report: (Progress) -> Void = { _ in }) throws -> [Result<
    TrainingJob.Outcome, TrainingError
  >] {
    while jobs.contains(where: \.isActive) {
      try step(jobs.indices.filter { jobs[$0].isActive })
      try measure(jobs.indices.filter { jobs[$0].isActive && jobs[$0].course.isEpochDone })
      report(
        Progress(
          steps: jobs.reduce(0) { $0 + $1.course.step },
          ofSteps: jobs.reduce(0) { $0 + ($1.isActive ? $1.course.steps : $1.course.step) },
          running: jobs.count(where: \.isActive)))
    }
    return try jobs.indices.map { number in
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
          rows: running.course.epochs.count * running.job.train.count, tokens: running.tokens))
    }
  }

  /// A piece of a job's step that runs at once, as it would alone.
  private struct Piece {
    var job: Int
    var rows: [Int]
    var number: Int
    /// Of the whole step's losses.
    var share: Double
  }

  /// The next step of each of these jobs.
  private func step(_ active: [Int]) throws {
    var pieces: [[Piece]] = []
    try ParameterSet.clearGradients(of: active.map { training.parameters[$0] })
    try training.clearLosses()
    for number in active {
      let rows = jobs[number].course.next()
      let (job, weights) = (jobs[number].job, jobs[number].weights)
      jobs[number].tokens += rows.reduce(0) { $0 + jobs[number].lengths[$1] }
      let whole = job.train.batch(rows, spec: job.spec, weights: weights).weight
      guard whole > 0 else { continue }
      let budget = max(job.options.tokenBudget, job.spec.maxLength)
      let parts = Batches.pack(rows, lengths: jobs[number].lengths, budget: budget)
      for (place, rows) in parts.enumerated() {
        if place == pieces.count { pieces.append([]) }
        pieces[place].append(Piece(job: number, rows: rows, number: place, share: 1 / whole))
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
    var (rows, parts): ([Int], [ManyTraining.Part]) = ([], [])
    for piece in batch {
      let running = jobs[piece.job]
      let (job, options) = (running.job, running.job.options)
      parts.append(
        ManyTraining.Part(
          vbert: piece.job, sequences: rows.count..<rows.count + piece.rows.count,
          targets: job.train.batch(piece.rows, spec: job.spec, weights: running.weights).targets,
          share: piece.share,
          dropout: Dropout(
            seed: options.seed, step: running.course.step << 8 | piece.number,
            adapter: options.adapterDropout, head: options.dropout)))
      rows += piece.rows.map { running.firstTrain + $0 }
    }
    try states.withStates(of: rows) { x, layout in
      try training.accumulate(x, layout: layout, parts: parts)
    }
  }

  /// Ends the epoch of each of these jobs.
  private func measure(_ ended: [Int]) throws {
    var outputs: [Int: [[Float]]] = [:]
    // Dev rows of one job that fit a batch are one part of it.
    var pieces: [(job: Int, rows: [Int])] = []
    for number in ended {
      let dev = jobs[number].job.dev.sequences.map(\.count)
      for rows in Batches.pack(Array(dev.indices), lengths: dev, budget: training.tokenBudget) {
        pieces.append((number, rows))
      }
    }
    let sizes = pieces.map { piece in
      piece.rows.reduce(0) { $0 + lengths[jobs[piece.job].firstDev + $1] }
    }
    let batches = Batches.pack(
      Array(pieces.indices), lengths: sizes, budget: training.tokenBudget)
    for batch in batches {
      var (rows, parts): ([Int], [ManyTraining.Part]) = ([], [])
      for place in batch {
        let piece = pieces[place]
        parts.append(
          ManyTraining.Part(
            vbert: piece.job, sequences: rows.count..<rows.count + piece.rows.count))
        rows += piece.rows.map { jobs[piece.job].firstDev + $0 }
      }
      let (values, layout) = try states.withStates(of: rows) { x, layout in
        (try training.logits(x, layout: layout, parts: parts), layout)
      }
      for (part, values) in zip(parts, values) {
        let spec = training.specs[part.vbert]
        let columns = spec.task.outputs(labels: spec.labels.count)
        var first = 0
        for sequence in part.sequences {
          let count = (spec.task == .tag ? layout.rows(of: sequence).count : 1) * columns
          outputs[part.vbert, default: []].append(Array(values[first..<first + count]))
          first += count
        }
      }
    }
    for number in ended {
      let job = jobs[number].job
      let scores = Scores(job.dev, spec: job.spec, logits: outputs[number] ?? [])
      let epoch = jobs[number].course.end(scores)
      if epoch.isBest { try training.parameters[number].keep() }
    }
  }
}
