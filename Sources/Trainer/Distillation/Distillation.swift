package import Compute
internal import Manager
package import Model

/// Teaches a skip base to answer as the ordinary base that it was cut from does: on plain text, its
/// states in and after the upper layers, its attention and its mean states come near the teacher's.
/// Word embeddings stay as they are, so that what is learnt is small.
///
/// For equal options, text, device and a limit in tokens the result is the same to the bit, also when
/// the run was stopped and went on from a checkpoint.
package final class Distillation {
  package let options: DistillationOptions
  /// The student's.
  package let configuration: Configuration
  let student: BaseTraining
  private let teacher: Teacher
  private var loss: DistillationLoss
  private let tokenizer: any Tokenizer
  private let corpus: [String]
  private let threads: Int
  private let measure: DistillationMeasure
  private let counter: LossCounter
  /// Steps between looks at the loss, each of which waits for the device.
  private static let lossEvery = 20
  package internal(set) var state = State()

  /// What a checkpoint keeps beside the parameters.
  package struct State: Sendable, Equatable, Codable {
    package var step = 0
    package var tokens = 0
    package var seconds = 0.0
    package var curve: [CurvePoint] = []
    var place = LessonPlace()
  }

  package struct CurvePoint: Sendable, Equatable, Codable {
    package var step: Int
    package var tokens: Int
    package var seconds: Double
    /// Mean of the training loss since the last point; nil at the start.
    package var loss: Double?
    /// On held-out lines: the loss, and the mean cosine of the last states to the teacher's.
    package var devLoss: Double
    package var cosine: Double
  }

  package enum Event: Sendable {
    /// Every few steps: the share of the run that is done, their mean loss, model FLOPs a second.
    case step(State, share: Double, loss: Double, tokensPerSecond: Double, flops: Double)
    case measured(CurvePoint)
  }

  /// `teacher`: an ordinary base; `start`: all tensors of the student, of the skip depth in
  /// `configuration`, of which `scope` is taught. `devLines` of the corpus are measured on and never learnt from. Throws what
  /// reading and the backend throw.
  package init(
    teacher: any TensorSource, start: any TensorSource, configuration: Configuration,
    scope: BaseTraining.Scope = .all, tokenizer: any Tokenizer, corpus: [String],
    options: DistillationOptions, devLines: Int = 256, threads: Int, backend: any RelationBackend
  ) throws {
    precondition(configuration.isSkip && !corpus.isEmpty)
    self.options = options
    self.configuration = configuration
    self.tokenizer = tokenizer
    self.corpus = corpus
    self.threads = threads
    var dense = configuration
    dense.skipDepth = 0
    self.teacher = try Teacher(
      source: teacher, configuration: dense, backend: backend, tokenBudget: options.budget)
    student = try BaseTraining(
      source: start, configuration: configuration, scope: scope, freezesWords: true,
      backend: backend,
      tokenBudget: options.budget,
      lossBytes: DistillationLoss.bytes(rows: options.budget, hidden: configuration.hiddenSize))
    loss = DistillationLoss(
      weights: options.weights, backend: backend, heads: configuration.headCount)
    counter = try LossCounter(backend)
    let maker = SequenceMaker(
      options.mix, tokenizer, model: configuration, random: SplitMix(seed: 0))
    let lines = try LessonFeed.tokenize(
      CorpusRounds.heldOut(corpus, lines: devLines), tokenizer, threads)
    guard lines.contains(where: { !$0.isEmpty }) else {
      throw CorpusError.noText(path: corpus[0])
    }
    measure = DistillationMeasure(
      try lines.filter { !$0.isEmpty }.map(maker.plain), budget: options.budget)
    if options.weights.byVariance {
      loss.scales = try measure.variances(
        of: self.teacher, depth: configuration.skipDepth, backend: backend
      ).map { variance in 1 / max(1e-9, variance) }
    }
  }

  /// Runs until `limit`. `save` is called at every point of the curve, which are `every` steps apart. Throws `TrainingError.diverged`, and what text and backend
  /// throw.
  package func run(
    until limit: DistillationLimit, every: Int, save: () throws -> Void = {},
    report: (Event) -> Void = { _ in }
  ) throws {
    let plan = LessonFeed.Plan(
      corpus: corpus, mix: options.mix, budget: options.budget, seed: options.seed,
      linesPerRound: options.linesPerRound, threads: threads)
    let feed = try LessonFeed(
      plan, tokenizer: tokenizer, model: configuration, from: state.place)
    defer { feed.stop() }
    var optimizer = Optimizer()
    (optimizer.decay, optimizer.clipNorm) = (options.decay, options.clipNorm)
    let clock = ContinuousClock()
    let (start, before) = (clock.now, state)
    var (sum, steps, unseen, work) = (0.0, 0, 0, 0.0)
    /// Reads the losses since the last look.
    func look(share: Double) throws {
      guard unseen > 0 else { return }
      let loss = try counter.take()
      guard loss.isFinite else { throw TrainingError.diverged(step: state.step) }
      let passed = max(1e-9, (clock.now - start) / .seconds(1))
      report(
        .step(
          state, share: share, loss: loss / Double(unseen),
          tokensPerSecond: Double(state.tokens - before.tokens) / passed, flops: work / passed))
      sum += loss
      steps += unseen
      unseen = 0
    }
    func mark() throws {
      try point(sum / Double(steps), report)
      (sum, steps) = (0, 0)
      try save()
    }
    if state.step == 0 { try point(nil, report) }
    while true {
      state.seconds = before.seconds + (clock.now - start) / .seconds(1)
      let share = limit.progress(tokens: state.tokens, seconds: state.seconds)
      if share >= 1 { break }
      let batch = try feed.next()
      try learn(batch, share: share, optimizer)
      unseen += 1
      work += operations(of: batch)
      if state.step % every == 0 || state.step % Distillation.lossEvery == 0 {
        try look(share: share)
      }
      if state.step % every == 0 { try mark() }
    }
    try look(share: 1)
    if steps > 0 { try mark() }
  }

  private func learn(_ batch: LessonBatch, share: Double, _ optimizer: Optimizer) throws {
    let lesson = try teacher.teach(batch.packed, depth: configuration.skipDepth)
    try student.parameters.clearGradients()
    try student.accumulate(
      batch.packed, local: batch.local,
      relate: { [loss, counter] seen, place, dqkv throws(ComputeError) in
        try loss.relations(seen, lesson, place: place, addingTo: dqkv, value: counter.value)
      },
      loss: { seen throws(ComputeError) in
        try self.loss.states(seen, lesson, addingTo: self.counter.value)
      })
    state.step += 1
    state.tokens += batch.packed.ids.count
    state.place = batch.next
    let rise = min(1, Float(state.step) / Float(max(1, options.warmup)))
    try optimizer.step(
      student.parameters, number: state.step, rate: options.rate * rise * Float(1 - share))
  }

  private func point(_ loss: Double?, _ report: (Event) -> Void) throws {
    let (devLoss, cosine) = try measure.run(
      teacher: teacher, student: student, loss: self.loss)
    let point = CurvePoint(
      step: state.step, tokens: state.tokens, seconds: state.seconds, loss: loss,
      devLoss: devLoss, cosine: cosine)
    state.curve.append(point)
    report(.measured(point))
  }

  /// Floating-point operations of the products of a step: the teacher's pass, three times the
  /// student's (forward, and backward for states and parameters).
  private func operations(of batch: LessonBatch) -> Double {
    func layer(_ layout: SequenceLayout) -> Double {
      let (hidden, wide) = (configuration.hiddenSize, configuration.intermediateSize)
      let squares = (0..<layout.count).reduce(0) { sum, i in
        let length = layout.rows(of: i).count
        return sum + length * length
      }
      return Double(
        2 * layout.rows * (4 * hidden * hidden + 2 * hidden * wide) + 4 * squares * hidden)
    }
    let upper = configuration.upperLayers.count
    return layer(batch.packed.layout) * Double(configuration.layerCount + 3 * upper)
      + layer(batch.local.tokens.layout) * Double(3 * configuration.skipDepth)
  }
}
