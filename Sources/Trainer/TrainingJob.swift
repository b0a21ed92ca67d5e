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
  private var random: SplitMix

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
    trainLengths = train.sequences.map(\.ids.count)
    random = SplitMix(seed: options.seed)
    training = try AdapterTraining(
      spec: spec,
      initial: AdapterInitialization.tensors(spec, base: configuration, seed: random.next()),
      source: source, configuration: configuration, trainsBase: trainsBase, backend: backend,
      tokenBudget: max(options.tokenBudget, spec.maxLength))
    weights = options.classWeights == .balanced ? train.balancedWeights(spec) : nil
    let all = train.count + dev.count
    guard !trainsBase else {
      (trainStates, devStates) = (nil, nil)
      return
    }
    trainStates = try FrozenStates(
      train.sequences, entry: entry, training: training, byteLimit: options.stateBytes
    ) { report(.preparing(done: $0, of: all)) }
    let used = train.tokens * configuration.hiddenSize * backend.activationType.byteCount
    devStates = try FrozenStates(
      dev.sequences, entry: entry, training: training,
      byteLimit: max(0, options.stateBytes - used)
    ) { report(.preparing(done: train.count + $0, of: all)) }
  }

  /// Runs to the end. Throws what the backend throws, and `TrainingError.diverged`.
  package func run(report: (Event) -> Void = { _ in }) throws -> Outcome {
    let perEpoch = (train.count + options.batch - 1) / options.batch
    let total = perEpoch * options.epochs
    let schedule = Schedule(
      peak: options.rate, warmup: max(1, Int(Double(total) * options.warmup)), total: total)
    var optimizer = Optimizer()
    optimizer.decay = options.decay
    optimizer.clipNorm = options.clipNorm
    var epochs: [Epoch] = []
    var (best, bestValues): (Epoch?, [Float]) = (nil, [])
    var (step, tokens) = (0, 0)
    for number in 1...max(1, options.epochs) {
      let order = random.permutation(train.count)
      var loss = 0.0
      for first in stride(from: 0, to: train.count, by: options.batch) {
        let rows = Array(order[first..<min(train.count, first + options.batch)])
        step += 1
        try training.parameters.clearGradients()
        let value = try accumulate(rows, step: step)
        guard value.isFinite else { throw TrainingError.diverged(step: step) }
        try optimizer.step(training.parameters, number: step, rate: schedule.rate(at: step))
        loss += value
        tokens += rows.reduce(0) { $0 + train.sequences[$1].ids.count }
        let seen = Double(step - (number - 1) * perEpoch)
        report(.step(number: step, of: total, loss: loss / seen, tokens: tokens))
      }
      let scores = Scores(dev, spec: training.spec, logits: try logits(dev, devStates))
      let isBest = best.map { scores.value > $0.dev.value } ?? true
      let epoch = Epoch(
        number: number, loss: loss / Double(perEpoch), dev: scores, isBest: isBest)
      epochs.append(epoch)
      report(.epoch(epoch))
      if isBest {
        best = epoch
        bestValues = try training.parameters.snapshot()
      } else if options.patience > 0, number - (best?.number ?? 0) >= options.patience {
        break
      }
    }
    guard let best else { throw TrainingError.diverged(step: step) }
    try training.parameters.restore(bestValues)
    return Outcome(
      adapter: try training.adapter(), spec: training.spec, epochs: epochs, best: best,
      rows: epochs.count * train.count, tokens: tokens)
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
    let lengths = examples.sequences.map(\.ids.count)
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
