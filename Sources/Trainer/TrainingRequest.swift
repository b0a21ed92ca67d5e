internal import Manager
package import Model

/// What somebody asks to have trained.
package struct TrainingRequest: Sendable {
  package var name: VBertName
  /// Files of rows; without dev rows a share of the others is kept back.
  package var data: String
  package var dev: String?
  /// Only the first so many rows.
  package var limit: Int?
  /// The rate is what suits the vBERT, unless `rate` says another.
  package var options: TrainingOptions
  package var rate: Float?
  package var wish: TrainingWish
  /// Of an adapter's course on few rows.
  package var steps: Int?
  /// Labels and kind are taken from these rows, whatever was declared or trained before.
  package var startsAnew: Bool
  /// The number of the fine-tuning that it is; its end is written down with the version.
  package var fineTuning: Int64?
  /// What is wrong with the way it was asked: it fails with that, and nothing is read.
  package var problem: (any Error)?

  package init(
    name: VBertName, data: String, dev: String? = nil, limit: Int? = nil, options: TrainingOptions,
    rate: Float? = nil, wish: TrainingWish = .effort(nil), steps: Int? = nil,
    startsAnew: Bool = false, problem: (any Error)? = nil
  ) {
    (self.name, self.data, self.dev, self.limit) = (name, data, dev, limit)
    (self.options, self.rate, self.startsAnew) = (options, rate, startsAnew)
    (self.wish, self.steps) = (wish, steps)
    self.problem = problem
  }
}

/// A request with all that it names, read and checked.
struct PreparedTraining: Sendable {
  let vbert: VBertRecord
  let data: TrainingData
  let options: TrainingOptions
  private let steps: Int?
  private let rate: Float?
  private let isByHand: Bool
  private let startsAnew: Bool

  /// Throws `TrainingOptionProblem`, `TrainingError.nothingToTrain`, `EmbeddingOptionProblem` and
  /// `DataSetError`. `byteLimit`: of each file's rows.
  init(_ request: TrainingRequest, _ vbert: VBertRecord, byteLimit: Int = .max) throws {
    try Self.checkTask(vbert)
    var options = request.options
    options.rate = request.rate ?? TrainingOptions.rate(for: vbert.spec.asCreated)
    try options.check()
    guard request.limit ?? 1 >= 1 else {
      throw TrainingOptionProblem.outside("limit", "1 or more")
    }
    data = try TrainingData(
      data: request.data, dev: request.dev, spec: vbert.spec, limit: request.limit,
      options: options, isTrained: vbert.version != nil, startsAnew: request.startsAnew,
      byteLimit: byteLimit, wish: request.wish)
    try options.check(for: vbert.spec, data)
    try request.checkWish(data.effort, data.spec)
    self.vbert = vbert
    self.options = options
    (steps, rate, isByHand) = (request.steps, request.rate, request.wish == .byEpochs)
    startsAnew = request.startsAnew
  }

  /// What can be told without reading rows. Throws what `init` does, and what opening the files does.
  static func check(_ request: TrainingRequest, _ vbert: VBertRecord) throws {
    try checkTask(vbert)
    for path in [request.data] + [request.dev].compactMap(\.self) {
      try RowsFile(path: path).check()
    }
  }

  private static func checkTask(_ vbert: VBertRecord) throws {
    guard vbert.spec.hasParameters else {
      throw TrainingError.nothingToTrain(vbert: vbert.name.text)
    }
  }

  /// Throws `DataSetError`, and `EmbeddingOptionProblem` for vectors that the base does not have.
  func job(on base: Base) throws -> TrainingJob {
    var spec = data.spec
    spec.dimensions = try options.dimensions(
      before: startsAnew ? nil : spec.dimensions, hidden: base.configuration.hiddenSize)
    let examples = try data.examples(
      tokenizer: base.tokenizer, base: base.configuration)
    if var few = data.few(tokenizer: base.tokenizer, base: base.configuration) {
      few.steps = steps
      few.rate = rate
      return .onFewRows(
        few, spec: spec, rows: examples.train, dev: examples.dev, options: options)
    }
    var options = options
    if data.comparison == nil, !isByHand {
      options.epochs = options.epochs(rows: examples.train.count)
    }
    return TrainingJob(
      spec: spec, train: examples.train, dev: examples.dev, options: options)
  }
}

/// What came of a request.
package struct TrainingResult: Sendable {
  /// Without the parameters: of a long list all results are kept.
  package struct Trained: Sendable {
    package let version: Int
    package let metrics: [String: Double]
    /// How many were gone through, and which was best.
    package let epochs: Int
    package let best: TrainingJob.Epoch
    /// Training rows and tokens gone through, all epochs.
    package let rows, tokens: Int
    package let tagScheme: TagScheme?
    package let recipe: TrainingRecipe?

    init(_ outcome: TrainingJob.Outcome, _ version: VersionRecord) {
      (self.version, metrics) = (version.id.number, version.metrics)
      (epochs, best) = (outcome.epochs.count, outcome.best)
      (rows, tokens, tagScheme) = (outcome.rows, outcome.tokens, outcome.spec.tagScheme)
      recipe = outcome.recipe
    }
  }
  package let name: VBertName
  package let result: Result<Trained, any Error>
  /// 0 where none were read.
  package internal(set) var trainRows = 0
  package internal(set) var devRows = 0
  /// Rows that were longer than the vBERT reads.
  package internal(set) var truncatedRows = 0
  /// Since all began.
  package internal(set) var seconds = 0.0
}

/// What came of all requests, in their order, and seconds that it took.
package struct TrainingReport {
  package internal(set) var results: [TrainingResult] = []
  /// What ended all: a device, a registry or a disk that failed. Requests that were not at their end by then
  /// have failed with `TrainingError.stopped`.
  package internal(set) var stop: (any Error)?
  package internal(set) var readSeconds = 0.0
  package internal(set) var preparedSeconds = 0.0
  package internal(set) var trainedSeconds = 0.0
  package internal(set) var publishedSeconds = 0.0
  package internal(set) var seconds = 0.0
}
