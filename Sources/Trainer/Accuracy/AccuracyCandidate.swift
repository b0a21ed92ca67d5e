package import Compute
package import Manager
package import Model

/// One way to customise a base, to be compared with others.
package struct AccuracyCandidate: Sendable, Equatable {
  package enum Training: Sendable, Equatable {
    /// All of a dense base.
    case full
    case adapter(AdapterSpec)
  }

  /// How a trained adapter's n-gram rows are read when it is tested.
  package enum Reading: String, Sendable, CaseIterable {
    /// Computed or stored: the same to fp16.
    case exact
    /// As --plot fallback from the base's table.
    case fallback
    /// Rounded to int8.
    case int8
  }

  package let base: Base
  package let training: Training
  /// One training, tested in these ways; exact alone for a dense base.
  package let readings: [Reading]

  package init(base: Base, training: Training, readings: [Reading]) {
    self.base = base
    self.training = training
    self.readings = base.configuration.isSkip ? readings : [.exact]
  }

  /// The column's title.
  package func method(_ reading: Reading) -> String {
    let how =
      switch training {
      case .full: "full fine-tuning"
      case .adapter(let adapter): "\(adapter)"
      }
    return "\(base.name) \(how)" + (reading == .exact ? "" : ", \(reading.rawValue)")
  }
}

extension AccuracyCandidate {
  package static func == (a: AccuracyCandidate, b: AccuracyCandidate) -> Bool {
    a.base.name == b.base.name && a.training == b.training && a.readings == b.readings
  }
}

/// Trains candidates and tests them.
package struct AccuracyTrial {
  package var options: TrainingOptions
  /// Peak learning rate of full fine-tuning; adapters have the options' own.
  package var fullRate: Float
  package var backend: any TrainableBackend

  package init(options: TrainingOptions, fullRate: Float, backend: any TrainableBackend) {
    (self.options, self.fullRate, self.backend) = (options, fullRate, backend)
  }

  /// Trains once and tests every reading in `readings`.
  package func run(
    _ candidate: AccuracyCandidate, readings: [AccuracyCandidate.Reading], rows: AccuracyRows
  ) throws -> (scores: [(AccuracyCandidate.Reading, Scores)], epochs: Int) {
    let base = candidate.base
    var spec = rows.spec
    (spec.base, spec.baseHash) = (base.name, base.record.contentHash)
    var options = options
    var trainsBase = false
    switch candidate.training {
    case .full: (trainsBase, options.rate) = (true, fullRate)
    case .adapter(let adapter): spec.adapter = adapter
    }
    let model = try BaseModel(
      source: base.weights, configuration: base.configuration, backend: backend)
    let upper = try UpperEncoder(
      base: model, backend: backend, tokenBudget: max(options.tokenBudget, spec.maxLength))
    let job = try TrainingJob(
      spec: spec, train: rows.train, dev: rows.dev, source: base.weights,
      entry: Entry(upper, lookup: try lookup(candidate, .exact, model)),
      configuration: base.configuration, trainsBase: trainsBase, backend: backend,
      options: options)
    let outcome = try job.run()
    let scores = try readings.map { reading in
      guard reading != .exact else { return (reading, try job.measure(rows.test)) }
      let predictor = try Predictor(
        spec: spec, adapter: outcome.adapter, base: model,
        lookup: try lookup(candidate, reading, model), backend: backend)
      return (
        reading,
        Scores(
          rows.test, spec: spec, logits: try predictor.outputs(rows.test.sequences))
      )
    }
    return (scores, outcome.epochs.count)
  }

  /// nil for a dense base.
  private func lookup(
    _ candidate: AccuracyCandidate, _ reading: AccuracyCandidate.Reading, _ model: BaseModel
  ) throws -> RowLookup? {
    let base = candidate.base
    guard base.configuration.isSkip else { return nil }
    let computer = try LocalEncoder(base: model, backend: backend)
    let store = try PLOTStore(
      directory: reading == .int8 ? nil : base.plotDirectory, baseHash: base.record.contentHash,
      hidden: base.configuration.hiddenSize, skipDepth: base.configuration.skipDepth,
      cacheBytes: 0, type: reading == .int8 ? .int8 : .float32)
    return NGramLookup(store: store, computer: computer)
      .rowLookup(mode: reading == .fallback ? .fallback : .exact)
  }
}
