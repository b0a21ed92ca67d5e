package import Manager
package import Model

/// What somebody asks to have trained.
package struct TrainingRequest: Sendable {
  package var name: Name
  /// Files of rows; without dev rows a share of the others is kept back.
  package var data: String
  package var dev: String?
  /// Only the first so many rows.
  package var limit: Int?
  /// The rate is what suits the vBERT, unless `rate` says another.
  package var options: TrainingOptions
  package var rate: Float?
  /// Labels and kind are taken from these rows, whatever was declared or trained before.
  package var startsAnew: Bool

  package init(
    name: Name, data: String, dev: String? = nil, limit: Int? = nil, options: TrainingOptions,
    rate: Float? = nil, startsAnew: Bool = false
  ) {
    (self.name, self.data, self.dev, self.limit) = (name, data, dev, limit)
    (self.options, self.rate, self.startsAnew) = (options, rate, startsAnew)
  }
}

/// A request with all that it names, read and checked.
struct PreparedTraining: Sendable {
  let vbert: VBertRecord
  let data: TrainingData
  let options: TrainingOptions
  private let startsAnew: Bool

  /// Throws `TrainingOptionProblem`, `TrainingError.nothingToTrain`, `EmbeddingOptionProblem` and `DataSetError`.
  init(_ request: TrainingRequest, _ vbert: VBertRecord) throws {
    guard vbert.spec.hasParameters else {
      throw TrainingError.nothingToTrain(vbert: vbert.name.text)
    }
    var options = request.options
    options.rate = request.rate ?? TrainingOptions.rate(for: vbert.spec)
    try options.check()
    guard request.limit ?? 1 >= 1 else {
      throw TrainingOptionProblem.outside("limit", "1 or more")
    }
    data = try TrainingData(
      data: request.data, dev: request.dev, spec: vbert.spec, limit: request.limit,
      options: options, isTrained: vbert.version != nil, startsAnew: request.startsAnew)
    try options.check(for: vbert.spec, data)
    self.vbert = vbert
    self.options = options
    startsAnew = request.startsAnew
  }

  /// Throws `DataSetError`, and `EmbeddingOptionProblem` for vectors that the base does not have.
  func job(on base: Base) throws -> TrainingJob {
    var spec = data.spec
    spec.dimensions = try options.dimensions(
      before: startsAnew ? nil : spec.dimensions, hidden: base.configuration.hiddenSize)
    let examples = try data.examples(
      tokenizer: base.tokenizer, base: base.configuration)
    return TrainingJob(
      spec: spec, train: examples.train, dev: examples.dev, options: options)
  }
}

/// What came of a request.
package struct TrainingResult {
  package struct Trained {
    package let outcome: TrainingJob.Outcome
    package let version: VersionRecord
  }
  package let name: Name
  package let result: Result<Trained, any Error>
  package let trainRows, devRows: Int
  /// Rows that were longer than the vBERT reads.
  package let truncatedRows: Int
}

/// What came of all requests, in their order, and seconds that it took.
package struct TrainingReport {
  package internal(set) var results: [TrainingResult] = []
  package internal(set) var readSeconds = 0.0
  package internal(set) var preparedSeconds = 0.0
  package internal(set) var trainedSeconds = 0.0
  package internal(set) var publishedSeconds = 0.0
  package internal(set) var seconds = 0.0
}
