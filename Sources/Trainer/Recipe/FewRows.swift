internal import Compute
package import Model

/// What training on few rows needs beside the rows.
package struct FewRows: Sendable {
  package var effort: Effort
  /// The labels' names as texts, one a label; none where they say nothing.
  package var names: [TokenSequence]
  /// What rows beside those that are learnt from are.
  package var measure = TrainingRecipe.Measure.test
  /// Of the adapter's course; nil: what suits the rows.
  package var steps: Int?
  package var rate: Float?

  package init(
    effort: Effort, names: [TokenSequence] = [], measure: TrainingRecipe.Measure = .test
  ) {
    (self.effort, self.names, self.measure) = (effort, names, measure)
  }

  /// The labels of a classifier of texts as texts themselves; none where they say nothing. A name beside a
  /// pair would say nothing of a pair.
  package static func names(
    _ spec: VBertSpec, tokenizer: WordPiece, base: Configuration
  ) -> [TokenSequence] {
    guard spec.task == .classify, spec.input == .text, let texts = LabelText.texts(spec.labels)
    else { return [] }
    var reader = RowReader(spec: spec, tokenizer: tokenizer, base: base, cut: true)
    let none = DataSet(path: "", rows: [])
    let names = texts.compactMap { text in
      try? reader.read(DataRow(line: 1, input: .text(text)), of: none).1
    }
    // A tokenizer that does not know them reads several alike.
    return Set(names).count == texts.count ? names : []
  }

  /// Parts that the head's rows are held out in, one after another, and the adapter's.
  static let (headFolds, adapterFolds) = (5, 2)
  /// Rows a step of the adapter's.
  static let batch = 32
  /// Rows that this recipe is better for than training by epochs (measured over 27 tasks).
  package static let most = 5000
  /// Rows whose features a head alone is found on, all at once.
  package static let mostAlone = 100_000
  /// Below so many rows none are kept for testing.
  package static let untested = 500

  /// How long and at which peak rate an adapter is tuned on so many rows (measured over 27 tasks).
  static func course(rows: Int) -> (steps: Int, rate: Float) {
    let steps = min(300, max(30, rows / 10))
    return (steps, steps < 60 ? 1e-3 : 5e-4)
  }

  /// Standard errors by which another way to find a head must be better than the first. A head alone should
  /// never be worse than logistic regression; what an adapter is tuned with is taken at its word sooner.
  var errors: Double { effort == .quick ? 2 : 0.5 }

  /// An adapter mostly helps: it is left out where the head alone was as good, by so many standard errors of
  /// the rows' differences, or to the row.
  static let doubt = 0.5

  /// Ways to find a head, the one first that is taken where rows tell nothing.
  func candidates(_ spec: VBertSpec, rows: Int) -> [HeadCandidate] {
    let named = names.isEmpty ? [] : [true]
    let standard = [HeadCandidate(strength: 10)]
    let withNames = named.map { HeadCandidate(strength: 10, usesNames: $0) }
    // Of many rows and labels each way takes its time, and little is to be gained.
    guard rows * max(1, spec.labels.count) <= 100_000 else { return standard }
    if effort == .full, spec.task == .classify { return withNames + standard }
    return standard + withNames
      + [100, 1].flatMap { strength in
        ([false] + named).map { HeadCandidate(strength: strength, usesNames: $0) }
      }
  }
}

extension TrainingJob {
  /// On few rows. `dev`: what was given to measure by; empty: of many rows some are set aside for that.
  package static func onFewRows(
    _ few: FewRows, spec: VBertSpec, rows: Examples, dev: Examples, options: TrainingOptions
  ) -> TrainingJob {
    guard dev.count == 0, rows.count >= FewRows.untested else {
      return TrainingJob(spec: spec, train: rows, dev: dev, options: options, few: few)
    }
    let (learnt, tested) = SetAside.split(rows)
    return TrainingJob(
      spec: spec, train: rows.rows(learnt), dev: rows.rows(tested), options: options, few: few)
  }

  /// What tunes an adapter on some of the rows so that texts of one label come together. `isPart`: to see
  /// how it fares on the others, in half the steps at twice the rate.
  func contrast(
    _ rows: [Int], names: [TokenSequence], seed: UInt64, isPart: Bool
  ) -> TrainingJob {
    var spec = spec
    (spec.task, spec.labels, spec.pooling) = (.embed, [], .mean)
    (spec.unseenLabels, spec.tagScheme, spec.dimensions) = (nil, nil, nil)
    var options = options
    let course = FewRows.course(rows: train.count)
    let steps = (few?.steps ?? course.steps) / (isPart ? 2 : 1)
    options.rate = (few?.rate ?? course.rate) * (isPart ? 2 : 1)
    (options.batch, options.patience) = (FewRows.batch, 0)
    (options.seed, options.loss, options.dimensions) = (seed, .contrastive, [])
    let all = train.compared(rows, names: names)
    let perEpoch = (all.count + options.batch - 1) / options.batch
    options.epochs = max(1, (steps + perEpoch - 1) / perEpoch)
    return TrainingJob(spec: spec, train: all, dev: .none, options: options)
  }
}

extension VBertSpec {
  /// The same with its head on frozen states. Lengths of texts say nothing of their meaning but lengthen
  /// their mean states: the head reads these at norm 1.
  var headAlone: VBertSpec {
    var spec = self
    spec.adapter = .none
    spec.offered = adapter == .none ? nil : adapter
    if pooling == .mean, task != .tag { spec.pooling = .normalizedMean }
    return spec
  }
}
