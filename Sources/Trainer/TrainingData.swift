package import Model

/// The rows of a training run, checked and divided: what is learnt from, and what epochs are
/// measured on.
package struct TrainingData: Sendable {
  /// With the labels of the data.
  package let spec: VBertSpec
  let train: DataSet
  let dev: DataSet
  private let labels: LabelSet
  /// What an embedder's rows compare; nil for others.
  package let comparison: Comparison?
  /// How few rows are learnt from; nil: by epochs, of which `dev` tells the best.
  package let effort: Effort?
  /// What `dev` is where it chooses nothing.
  let measure: TrainingRecipe.Measure

  /// Reads everything. Without `dev` a share of the rows is kept back, drawn by the seed. Labels are
  /// what `LabelPlan` says; one in `dev` that is none of them is an error. Throws `DataSetError`.
  /// `byteLimit`: of each file's rows. `wish`: how training was asked for.
  package init(
    data: String, dev: String?, spec: VBertSpec, limit: Int? = nil, options: TrainingOptions,
    isTrained: Bool = false, startsAnew: Bool = false, byteLimit: Int = .max,
    wish: TrainingWish = .byEpochs
  ) throws {
    var train = try DataSet(path: data, task: spec.task, labelled: true, byteLimit: byteLimit)
    let whole = train
    if let limit { train.rows = Array(train.rows.prefix(limit)) }
    var spec = spec.asCreated
    effort = wish.effort(spec.task, rows: train.rows.count)
    measure = dev == nil ? .test : .dev
    let isFresh = !isTrained || startsAnew
    // Told by the whole file: its first rows may lack what tells schemes apart. What was learnt once stays.
    if spec.task == .tag {
      let found = try whole.tagScheme()
      if isFresh { spec.tagScheme = found } else { try whole.checkTags(spec) }
    }
    let plan = try LabelPlan(train, spec: spec, isTrained: isTrained, startsAnew: startsAnew)
    guard effort == nil || train.rows.count >= 2 else { throw DataSetError.oneRow(path: data) }
    // An embedder's labels say what is near, and are forgotten.
    spec.labels = spec.task == .embed ? [] : plan.labels.names
    spec.unseenLabels = plan.unseen.isEmpty ? nil : plan.unseen
    // `Examples` refuses texts or pairs of the other kind than a trained vBERT's.
    if spec.task == .embed {
      comparison = try train.comparison()
      spec.scores = train.scoreRange?.union(isFresh ? nil : spec.scores)
    } else {
      comparison = nil
    }
    if isFresh { spec.input = train.inputKind }
    if let dev {
      self.dev = try DataSet(
        path: dev, task: spec.task, labelled: true, byteLimit: byteLimit)
      try self.dev.checkTags(spec)
      if spec.task == .embed { try Self.check(self.dev, comparison) }
      if isFresh { try Self.check(self.dev, like: spec) }
    } else if effort != nil {
      guard train.rows.count <= FewRows.mostAlone else {
        throw DataSetError.tooManyRows(path: data, most: FewRows.mostAlone)
      }
      // `TrainingJob.onFewRows` sets rows aside.
      self.dev = DataSet(path: data, rows: [])
    } else {
      (train, self.dev) = try Self.keptBack(train, comparison, options)
    }
    self.train = train
    // A label that only dev rows have tells of these what is near, too.
    labels =
      spec.task == .embed
      ? LabelSet(plan.labels.names + self.dev.labels(beyond: plan.labels)) : plan.labels
    self.spec = spec
  }

  /// Rows to learn from, and a share of them to measure by, drawn by the seed. Of an embedder's few rows more
  /// are kept back, until these compare something by themselves.
  private static func keptBack(
    _ rows: DataSet, _ comparison: Comparison?, _ options: TrainingOptions
  ) throws(DataSetError) -> (learnt: DataSet, held: DataSet) {
    var random = SplitMix(seed: options.seed ^ 0x6465_7600)
    var order = random.permutation(rows.rows.count)
    if comparison == .labels {
      // What is near a row is told by others of its label: kept back are some of some labels.
      order = ClassRuns.arranged(order, classes: rows.classes, &random)
    }
    func part(_ numbers: ArraySlice<Int>) -> DataSet {
      DataSet(path: rows.path, rows: numbers.sorted().map { rows.rows[$0] })
    }
    func tells(_ part: DataSet) -> Bool {
      !part.rows.isEmpty && (comparison == nil || (try? part.comparison()) != nil)
    }
    var count = Int((Double(order.count) * options.devShare).rounded(.up))
    while count < order.count / 2, !tells(part(order.prefix(count))) {
      count = min(2 * count, order.count / 2)
    }
    let (learnt, held) = (part(order.dropFirst(count)), part(order.prefix(count)))
    guard tells(learnt), tells(held) else { throw .tooFewRows(path: rows.path) }
    return (learnt, held)
  }

  /// Dev rows of another kind than those that are learnt from, or with other labels, where a vBERT takes
  /// both from its data: what a trained one is told helps nobody here.
  private static func check(_ dev: DataSet, like spec: VBertSpec) throws(DataSetError) {
    let known = LabelSet(spec.labels)
    for row in dev.rows {
      func problem(_ problem: DataRowProblem) -> DataSetError {
        .row(path: dev.path, line: row.line, problem)
      }
      if let input = spec.input, let kind = row.input.kind, kind != input {
        throw problem(.unlikeData(input))
      }
      for label in row.target?.labels ?? []
      where spec.task != .embed && known.number(label) == nil {
        throw problem(.notInData(label, known: spec.labels))
      }
    }
  }

  /// What few rows need beside them; nil: by epochs.
  func few(tokenizer: WordPiece, base: Configuration) -> FewRows? {
    effort.map {
      FewRows(
        effort: $0, names: FewRows.names(spec, tokenizer: tokenizer, base: base),
        measure: measure)
    }
  }

  /// Throws `DataSetError`.
  package func examples(
    tokenizer: WordPiece, base: Configuration
  ) throws -> (train: Examples, dev: Examples) {
    (
      try Examples(train, spec: spec, labels: labels, tokenizer: tokenizer, base: base),
      try Examples(dev, spec: spec, labels: labels, tokenizer: tokenizer, base: base)
    )
  }
}
