package import Compute
internal import Manager
import Model
package import Trainer

/// Trains candidates and tests them; one a thread.
package final class AccuracyTrial {
  let backend: any TrainableBackend
  /// Bases on the device, by name: loaded once, however many candidates there are.
  private var models: [String: BaseModel] = [:]

  package init(backend: any TrainableBackend) { self.backend = backend }

  /// How candidates are trained, but for their rates.
  package struct Settings: Sendable {
    package var options: TrainingOptions
    /// Peak learning rate of full fine-tuning.
    package var fullRate: Float
    /// Of adapters; nil: as `vbert train` takes it.
    package var adapterRate: Float?

    package init(options: TrainingOptions, fullRate: Float, adapterRate: Float?) {
      (self.options, self.fullRate, self.adapterRate) = (options, fullRate, adapterRate)
    }
  }

  /// Of one training.
  package struct Outcome: Sendable {
    /// By reading, of test rows.
    package var scores: [(AccuracyCandidate.Reading, Scores)]
    /// The best epoch's, of dev rows.
    package var dev: Double
    package var epochs: Int
  }

  /// Trains once and tests every reading in `readings`.
  package func run(
    _ candidate: AccuracyCandidate, readings: [AccuracyCandidate.Reading], rows: AccuracyRows,
    settings: Settings
  ) throws -> Outcome {
    let base = candidate.base
    var spec = rows.spec
    (spec.base, spec.baseHash) = (base.name, base.record.contentHash)
    var options = settings.options
    var trainsBase = false
    switch candidate.training {
    case .full: (trainsBase, options.rate) = (true, settings.fullRate)
    case .adapter(let adapter):
      spec.adapter = adapter ?? .standard(for: spec.task)
      options.rate = settings.adapterRate ?? TrainingOptions.rate(for: spec)
    }
    let model = try model(of: base)
    let upper = try UpperEncoder(
      base: model, backend: backend, tokenBudget: max(options.tokenBudget, spec.maxLength))
    let group = try TrainingGroup(
      [TrainingJob(spec: spec, train: rows.train, dev: rows.dev, options: options)],
      source: base.weights, entry: Entry(upper, lookup: try lookup(candidate, .exact, model)),
      configuration: base.configuration, trainsBase: trainsBase, backend: backend,
      stateBytes: options.stateBytes)
    let outcome = try group.run()[0].get()
    let scores = try readings.map { reading in
      guard reading != .exact else { return (reading, try group.measure(rows.test)) }
      let predictor = try Predictor(
        spec: spec, adapter: outcome.adapter, base: model,
        lookup: try lookup(candidate, reading, model), backend: backend)
      return (
        reading,
        Scores(
          rows.test, spec: spec, logits: try predictor.outputs(rows.test.sequences))
      )
    }
    return Outcome(
      scores: scores, dev: outcome.best.dev.value, epochs: outcome.epochs.count)
  }

  func model(of base: Base) throws -> BaseModel {
    if let model = models[base.name] { return model }
    let model = try BaseModel(
      source: base.weights, configuration: base.configuration, backend: backend)
    models[base.name] = model
    return model
  }

  /// nil for a dense base.
  func lookup(
    _ candidate: AccuracyCandidate, _ reading: AccuracyCandidate.Reading, _ model: BaseModel
  ) throws -> RowLookup? {
    let base = candidate.base
    guard base.configuration.isSkip else { return nil }
    let computer = try LocalEncoder(base: model, backend: backend)
    let store = try PLOTStore(
      directory: reading == .int8 ? nil : base.plotDirectory, baseHash: base.record.contentHash,
      hidden: base.configuration.hiddenSize, skipDepth: base.configuration.skipDepth,
      cacheBytes: 0, type: reading == .int8 ? .int8 : .float32)
    return NGramLookup(store: store, computer: computer).rowLookup(
      mode: reading == .fallback ? .fallback : .exact,
      domain: candidate.domain)
  }
}
