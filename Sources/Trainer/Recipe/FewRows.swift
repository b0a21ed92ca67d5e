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
  /// Rows up to which this recipe is better than training by epochs, of classifiers and of others.
  package static let (most, mostOthers) = (5000, 1000)
  package static func most(_ task: VBertTask) -> Int { task == .classify ? most : mostOthers }
  /// Rows whose features a head alone is found on, all at once.
  package static let mostAlone = 100_000
  /// Below so many rows none are kept for testing.
  package static let untested = 500

  /// Rows a step of the adapter's.
  static let batch = 32
  /// How long and at which peak rate an adapter is tuned on so many rows (measured over 27 tasks of texts;
  /// over ten of tags and scores).
  static func course(_ spec: VBertSpec, rows: Int) -> (steps: Int, rate: Float) {
    guard spec.isContrasted else {
      let passes = TrainingOptions().epochs
      return (max(TrainingOptions.leastSteps, rows * passes / batch), 5e-4)
    }
    let steps = min(300, max(30, rows / 10))
    return (steps, steps < 60 ? 1e-3 : 5e-4)
  }

  /// Standard errors by which another way to find a head must be better than the first. A head alone should
  /// never be worse than logistic regression; what an adapter is tuned with is taken at its word sooner.
  var errors: Double { effort == .quick ? 1 : 0.5 }

  /// An adapter mostly helps: it is left out where the head alone was as good, by so many standard errors of
  /// the rows' differences, or to the row.
  static let doubt = 0.5

  /// What losses weigh beside the penalty, where rows do not tell.
  static let strength = 10.0

  /// Ways to find a head, the one first that is taken where rows tell nothing.
  func candidates(_ spec: VBertSpec, rows: Int) -> [HeadCandidate] {
    let named = names.isEmpty ? [] : [true]
    let standard = [HeadCandidate(strength: Self.strength)]
    let withNames = named.map { HeadCandidate(strength: Self.strength, usesNames: $0) }
    // Of many rows and labels each way takes its time, and little is to be gained.
    guard rows * max(1, spec.labels.count) <= 100_000 else { return standard }
    if effort == .full, spec.task == .classify { return withNames + standard }
    // Most words are of no span, so a strong penalty costs few words and most spans.
    return standard + withNames
      + (spec.task == .tag ? [100] : [100, 1]).flatMap { strength in
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
}

extension VBertSpec {
  /// The same with its head on frozen states, at norm 1: lengths of texts say nothing of their meaning but
  /// change their mean states' norms, and of words' a head learns better too (twelve tasks of tags).
  var headAlone: VBertSpec {
    var spec = self
    spec.adapter = .none
    spec.offered = adapter == .none ? nil : adapter
    if pooling == .mean || task == .tag { spec.pooling = .normalizedMean }
    return spec
  }

  /// Whether few rows tune its adapter by contrast. How the two of a pair compare is no likeness of pairs.
  var isContrasted: Bool { task == .classify && input != .pair }

  /// The same with an adapter tuned on few rows: contrast compares directions, other losses read states as
  /// they are (at norm 1 a head learns so slowly that the adapter learns nothing: measured).
  var tuned: VBertSpec {
    var spec = self
    if isContrasted, pooling == .mean { spec.pooling = .normalizedMean }
    return spec
  }
}
