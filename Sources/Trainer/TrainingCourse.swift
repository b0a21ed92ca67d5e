import Model

/// The order of one job's training: which rows come next at which rate, which epoch is best, when it
/// ends. A value without a device, so that a job trained alone and one among many take one course.
struct TrainingCourse {
  let options: TrainingOptions
  private let rows: Int
  /// Of each row, where rows of one class should meet in a step.
  private let classes: [Int32]?
  private let perEpoch: Int
  /// Steps, if it does not end before.
  let steps: Int
  private let schedule: Schedule
  private var random: SplitMix
  private var order: [Int] = []
  private var loss = 0.0
  /// Of the steps begun, all epochs.
  private(set) var step = 0
  private(set) var epochs: [TrainingJob.Epoch] = []
  private(set) var best: TrainingJob.Epoch?
  /// The last epoch whose score was above all before it, or up to which there was none.
  private var lastBetter = 0
  private(set) var isOver = false

  /// For so many training rows. `random` goes on where drawing the first parameters left it.
  init(rows: Int, classes: [Int32]? = nil, options: TrainingOptions, random: SplitMix) {
    self.rows = rows
    self.classes = classes
    self.options = options
    self.random = random
    perEpoch = (rows + options.batch - 1) / options.batch
    let total = min(perEpoch * options.epochs, options.mostSteps ?? .max)
    steps = total
    schedule = Schedule(
      peak: options.rate, warmup: max(1, Int(Double(total) * options.warmup)), total: total)
    draw()
  }

  private mutating func draw() {
    order = random.permutation(rows)
    if let classes { order = ClassRuns.arranged(order, classes: classes, &random) }
  }

  var rate: Float { schedule.rate(at: step) }
  /// Whether the epoch's steps are done: `end` comes next.
  var isEpochDone: Bool { step == min(steps, perEpoch * (epochs.count + 1)) }
  /// The mean of the epoch so far.
  var meanLoss: Double { loss / Double(max(1, step - perEpoch * epochs.count)) }

  /// What dev rows say before the first step, where that is an answer too: the best until an epoch is
  /// better, with the number 0.
  mutating func begin(_ dev: Scores) {
    best = TrainingJob.Epoch(number: 0, loss: dev.loss, dev: dev, isBest: true)
  }

  /// Begins the next step: its rows.
  mutating func next() -> [Int] {
    let first = (step - perEpoch * epochs.count) * options.batch
    step += 1
    return Array(order[first..<min(rows, first + options.batch)])
  }

  /// Notes the step's loss. Throws `diverged` when it is no number.
  mutating func add(_ value: Double) throws(TrainingError) {
    guard value.isFinite else { throw .diverged(step: step) }
    loss += value
  }

  /// Ends the epoch with what dev rows said. Of epochs that score alike, as on few dev rows many do,
  /// the one with the least dev loss is best; patience counts from the last better score, and not while
  /// nothing has been learnt: a tagger whose tags are all O, scores that do not go with the given ones.
  /// Without dev rows the last is best.
  mutating func end(_ dev: Scores, isMeasured: Bool = true) -> TrainingJob.Epoch {
    let isBetter = !isMeasured || best.map { dev.value > $0.dev.value } ?? true
    let isNearer = best.map { dev.value == $0.dev.value && dev.loss < $0.dev.loss } ?? false
    let epoch = TrainingJob.Epoch(
      number: epochs.count + 1, loss: meanLoss, dev: dev, isBest: isBetter || isNearer)
    epochs.append(epoch)
    if epoch.isBest { best = epoch }
    if isBetter || dev.value <= 0 && (best?.dev.value ?? 0) <= 0 { lastBetter = epoch.number }
    loss = 0
    let since = epoch.number - lastBetter
    isOver = step >= steps || options.patience > 0 && since >= options.patience
    if !isOver { draw() }
    return epoch
  }
}
