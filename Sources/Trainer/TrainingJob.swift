package import Compute
package import Model

/// Trains one vBERT from prepared examples: epochs of shuffled batches, measured on dev after each;
/// the best epoch's parameters are what remains.
///
/// For one seed, machine and options the result is the same to the bit.
package final class TrainingJob {
  package let training: AdapterTraining
  private let options: TrainingOptions
  private let train, dev: Examples
  private let entry: Entry
  /// nil where the base itself is trained: nothing is frozen.
  private let trainStates, devStates: FrozenStates?
  private let trainLengths: [Int]
  private let weights: [Float]?
  private let random: SplitMix

  /// What is heard of a running job.
  package enum Event: Sendable {
    /// Frozen states computed, of all.
    case preparing(done: Int, of: Int)
    /// After every step; `loss` is the mean of the epoch so far.
    case step(number: Int, of: Int, loss: Double, tokens: Int)
    case epoch(Epoch)
  }

  package struct Epoch: Sendable {
    package var number: Int
    package var loss: Double
    package var dev: Scores
    package var isBest: Bool
  }

  package struct Outcome: Sendable {
    package var adapter: HostAdapter
    package var spec: VBertSpec
    package var epochs: [Epoch]
    package var best: Epoch
    /// Training rows gone through, all epochs.
    package var rows: Int
    package var tokens: Int
  }

  /// Computes the frozen states. `spec` has its labels. Throws what entry and backend throw.
  package init(
    spec: VBertSpec, train: Examples, dev: Examples, source: any TensorSource, entry: Entry,
    configuration: Configuration, trainsBase: Bool = false, backend: any TrainableBackend,
    options: TrainingOptions, report: (Event) -> Void = { _ in }
  ) throws {
    self.options = options
    self.entry = entry
    self.train = train
    self.dev = dev
    trainLengths = train.sequences.map(\.count)
    var random = SplitMix(seed: options.seed)
    let first = AdapterInitialization.tensors(spec, base: configuration, seed: random.next())
    self.random = random
    training = try AdapterTraining(
      spec: spec,
      initial: first,
      source: source, configuration: configuration, trainsBase: trainsBase, backend: backend,
      tokenBudget: max(options.tokenBudget, spec.maxLength))
    weights = options.classWeights == .balanced ? train.balancedWeights(spec) : nil
    let all = train.count + dev.count
    guard !trainsBase else {
      (trainStates, devStates) = (nil, nil)
      return
    }
    trainStates = try FrozenStates(
      train.sequences, entry: entry, base: training, byteLimit: options.stateBytes
    ) { report(.preparing(done: $0, of: all)) }
    let used = train.tokens * configuration.hiddenSize * backend.activationType.byteCount
    devStates = try FrozenStates(
      dev.sequences, entry: entry, base: training,
      byteLimit: max(0, options.stateBytes - used)
    ) { report(.preparing(done: train.count + $0, of: all)) }
  }

  /// Runs to the end. Throws what the backend throws, and `TrainingError.diverged`.
  package func run(report: (Event) -> Void = { _ in }) throws -> Outcome {
    var course = TrainingCourse(rows: train.count, options: options, random: random)
    let optimizer = Optimizer(options)
    var (bestValues, tokens): ([Float], Int) = ([], 0)
    while !course.isOver {
      let rows = course.next()
      try training.parameters.clearGradients()
      try course.add(try accumulate(rows, step: course.step))
      try optimizer.step(training.parameters, number: course.step, rate: course.rate)
      tokens += rows.reduce(0) { $0 + train.sequences[$1].count }
      report(
        .step(number: course.step, of: course.steps, loss: course.meanLoss, tokens: tokens))
      guard course.isEpochDone else { continue }
      let epoch = course.end(
        Scores(dev, spec: training.spec, logits: try logits(dev, devStates)))
      report(.epoch(epoch))
      if epoch.isBest { bestValues = try training.parameters.snapshot() }
    }
    guard let best = course.best else { throw TrainingError.diverged(step: course.step) }
    try training.parameters.restore(bestValues)
    return Outcome(
      adapter: try training.adapter(), spec: training.spec, epochs: course.epochs, best: best,
      rows: course.epochs.count * train.count, tokens: tokens)
  }

  /// Gradients of the mean loss over `rows`, in parts that fit the token budget.
  private func accumulate(_ rows: [Int], step: Int) throws -> Double {
    let whole = train.batch(rows, spec: training.spec, weights: weights).weight
    guard whole > 0 else { return 0 }
    var loss = 0.0
    let parts = Batches.pack(rows, lengths: trainLengths, budget: training.tokenBudget)
    for (number, part) in parts.enumerated() {
      let dropout = Dropout(
        seed: options.seed, step: step << 8 | number, adapter: options.adapterDropout,
        head: options.dropout)
      let targets = train.batch(part, spec: training.spec, weights: weights).targets
      guard let trainStates else {
        loss += try training.accumulate(
          train.packed(part), targets: targets, share: 1 / whole, dropout: dropout)
        continue
      }
      loss += try trainStates.withStates(of: part) { x, layout in
        try training.accumulate(
          x, layout: layout, targets: targets, share: 1 / whole, dropout: dropout)
      }
    }
    return loss
  }

  /// How good the parameters are, as they are now, on other rows.
  package func measure(_ examples: Examples) throws -> Scores {
    let states =
      trainStates == nil
      ? nil
      : try FrozenStates(examples.sequences, entry: entry, training: training, byteLimit: 0)
    return Scores(examples, spec: training.spec, logits: try logits(examples, states))
  }

  /// The head's outputs of every row.
  private func logits(_ examples: Examples, _ states: FrozenStates?) throws -> [[Float]] {
    let lengths = examples.sequences.map(\.count)
    let outputs = training.spec.task.outputs(labels: training.spec.labels.count)
    var rows: [[Float]] = []
    for part in Batches.pack(Array(lengths.indices), lengths: lengths, budget: training.tokenBudget)
    {
      let (values, layout) = try self.logits(part, examples, states)
      for place in part.indices {
        let range = training.spec.task == .tag ? layout.rows(of: place) : place..<place + 1
        rows.append(Array(values[range.lowerBound * outputs..<range.upperBound * outputs]))
      }
    }
    return rows
  }

  private func logits(_ part: [Int], _ examples: Examples, _ states: FrozenStates?) throws
    -> ([Float], SequenceLayout)
  {
    guard let states else {
      let batch = examples.packed(part)
      return (try training.logits(batch), batch.layout)
    }
    return try states.withStates(of: part) { x, layout in
      (try training.logits(x, layout: layout), layout)
    }
  }
}

/// What can go wrong in training besides the data and the device.
package enum TrainingError: Error, Equatable, CustomStringConvertible {
  case diverged(step: Int)
  case nothingToTrain(vbert: String)

  package var description: String {
    switch self {
    case .diverged(let step):
      "the loss was no longer a number at step \(step); use a lower --lr"
    case .nothingToTrain(let name):
      "\(name) is an embedding model, which has nothing to train; create it with another --task"
    }
  }
}
