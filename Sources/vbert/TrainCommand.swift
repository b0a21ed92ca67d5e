import ArgumentParser
import Compute
import Foundation
import Manager
import Model
import Trainer

struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a vBERT and publish the result as its next version.",
    discussion: """
      Rows are JSON objects, one a line, plain or gzip: {"text", "label"}, {"text", "text_pair",
      "label" or "score"}, {"text", "labels": [...]} or {"tokens", "tags"}, as the task wants them. Tags may
      be BIO, IOB1, BIOES, BILOU, types alone and more: docs/formats.md; all of a file are of one scheme.
        vbert train reviews --data train.jsonl --dev dev.jsonl
      --many trains every vBERT of a list in the same batches, one {"name", "data"} a line, with "dev",
      "epochs", "lr", "batch", "seed", "patience" and "limit" where they differ from the options here;
      each goes the way that it goes alone.
        vbert train --many jobs.jsonl --device cuda
      """)

  @OptionGroup var options: GlobalOptions
  @Argument(help: "The vBERT's name.", transform: { try Name($0) }) var name: Name?
  @Option(help: "Training rows.") var data: String?
  @Option(help: "A list of vBERTs to train at once.") var many: String?
  @Option(help: "Rows to choose the best epoch by (default: a tenth of the data).")
  var dev: String?
  @Option(help: "Most passes over the data.") var epochs = TrainingOptions().epochs
  @Option(help: "Peak learning rate (default: what suits head and adapter).") var lr: Float?
  @Option(help: "Rows a step.") var batch = TrainingOptions().batch
  @Option(help: "The same seed gives the same result.") var seed = TrainingOptions().seed
  @Option(help: "Dropout on the head's input.") var dropout = TrainingOptions().dropout
  @Option(help: "Dropout on the adapters' outputs.")
  var adapterDropout = TrainingOptions().adapterDropout
  @Option(help: "none, or balanced: rare classes count more.")
  var classWeights = TrainingOptions().classWeights
  @Option(help: "Epochs without a better result before it stops; 0: never stop early.")
  var patience = TrainingOptions().patience
  @Option(help: "Use only the first so many rows.") var limit: Int?
  @Flag(
    help:
      "Take labels and kind (texts or pairs) from these rows, whatever was declared or trained before."
  )
  var anew = false
  @OptionGroup var device: DeviceOptions
  @OptionGroup var precision: TrainingPrecisionOptions
  @Option(help: "Compute threads of a CPU (default: all cores).") var threads: Int?
  @Option(help: "A remark to keep with the version.") var note = ""

  func validate() throws {
    if many != nil {
      guard name == nil, data == nil, dev == nil, limit == nil else {
        throw ValidationError("--many takes names, --data, --dev and --limit from its list")
      }
    } else if name == nil || data == nil {
      throw ValidationError("name a vBERT and its --data, or a list with --many")
    }
    guard epochs >= 1, epochs <= 1000 else { throw ValidationError("--epochs must be 1 to 1000") }
    guard batch >= 1, batch <= 4096 else { throw ValidationError("--batch must be 1 to 4096") }
    guard lr.map({ $0 > 0 && $0 < 10 }) ?? true else {
      throw ValidationError("--lr must be above 0 and below 10")
    }
    guard 0..<1 ~= dropout, 0..<1 ~= adapterDropout else {
      throw ValidationError("dropout must be at least 0 and below 1")
    }
    guard patience >= 0 else { throw ValidationError("--patience must be 0 or more") }
    guard limit ?? 1 >= 1 else { throw ValidationError("--limit must be 1 or more") }
    guard threads ?? 1 >= 1 else { throw ValidationError("--threads must be 1 or more") }
  }

  /// `spec`: what is trained; nil where it is many.
  private func training(_ spec: VBertSpec?) -> TrainingOptions {
    var options = TrainingOptions()
    options.epochs = epochs
    options.rate = lr ?? spec.map(TrainingOptions.rate) ?? options.rate
    options.batch = batch
    options.seed = seed
    options.dropout = dropout
    options.adapterDropout = adapterDropout
    options.classWeights = classWeights
    options.patience = patience
    return options
  }

  func run() throws {
    let store = try options.openStore()
    if let many {
      let report = try TrainMany(
        list: many, options: training(nil), rate: lr, device: device,
        precision: precision.precision.choice(on: device), threads: threads, note: note,
        startsAnew: anew
      ).run(store)
      if options.json { try Output.json(report) } else { print(report.text) }
      if report.failed > 0 { throw ExitCode(1) }
      return
    }
    guard let name, let data else { return }
    let vbert = try store.registry.vbert(name)
    guard vbert.spec.task != .embed else { throw TrainingError.nothingToTrain(vbert: name.text) }
    // Everything is read and checked before a job exists.
    let files = try TrainingData(
      data: data, dev: dev, spec: vbert.spec, limit: limit, options: training(vbert.spec),
      isTrained: vbert.version != nil, startsAnew: anew)
    if let unseen = files.spec.unseenLabels {
      let list = unseen.joined(separator: ", ")
      FileHandle.standardError.write(Data("no row has \(list): nothing is learnt of it\n".utf8))
    }
    let opened = try OpenedBase(
      of: vbert.spec, home: store.registry.home, device: device,
      precision: precision.precision.choice(on: device), threads: threads)
    let examples = try files.examples(
      tokenizer: opened.base.tokenizer, base: opened.base.configuration)
    let job = try store.registry.beginJob(vbert: name)
    do {
      let report = try train(examples, files.spec, opened, store, vbert, job)
      if options.json { try Output.json(report) } else { print(report.text) }
    } catch {
      try? job.fail("\(error)")
      throw error
    }
  }

  private func train(
    _ examples: (train: Examples, dev: Examples), _ spec: VBertSpec, _ opened: OpenedBase,
    _ store: AdapterStore, _ vbert: VBertRecord, _ running: RunningJob
  ) throws -> TrainReport {
    guard let backend = opened.backend as? any TrainableBackend else {
      throw ComputeError.unsupported(
        "training on \(opened.backend.name); train with --device cpu")
    }
    let training = training(spec)
    let clock = ContinuousClock()
    var bar = ProgressLine()
    let start = clock.now
    let upper = try UpperEncoder(
      base: opened.model, backend: opened.backend,
      tokenBudget: max(training.tokenBudget, spec.maxLength))
    let job = try TrainingJob(
      spec: spec, train: examples.train, dev: examples.dev, source: opened.base.weights,
      entry: Entry(upper, lookup: opened.lookup), configuration: opened.base.configuration,
      backend: backend, options: training
    ) { event in
      if case .preparing(let done, let all) = event {
        bar.update("preparing", done: done, of: all, unit: "rows")
      }
    }
    try opened.confirm()
    let prepared = clock.now - start
    bar.end()
    bar = ProgressLine()
    var dev = ""
    let outcome = try job.run { event in
      switch event {
      case .preparing: break
      case .step(let number, let all, let loss, _):
        bar.update(
          "training", done: number, of: all, unit: "steps",
          note: ", loss \(TrainReport.short(loss))\(dev)")
      case .epoch(let epoch):
        dev = ", dev \(epoch.dev.primary) \(TrainReport.short(epoch.dev.value))"
        bar.say(
          "epoch \(epoch.number): loss \(TrainReport.short(epoch.loss))\(dev)"
            + (epoch.isBest ? " (best)" : ""))
        // Progress that cannot be written down is no reason to stop.
        try? running.update(
          metrics: epoch.dev.values.merging(["epoch": Double(epoch.number)]) { $1 })
      }
    }
    bar.end()
    let seconds = clock.now - start
    let metrics = Dictionary(
      uniqueKeysWithValues: outcome.best.dev.values.map { ("dev_\($0.key)", $0.value) })
    let version = try store.publish(
      outcome.adapter, as: vbert, spec: outcome.spec, base: opened.base.configuration,
      metrics: metrics, note: note, job: running, patience: .onTerminal)
    return TrainReport(
      outcome, version: version, examples: examples, prepared: prepared / .seconds(1),
      seconds: seconds / .seconds(1))
  }
}

extension TrainingOptions.ClassWeights: ExpressibleByArgument {}

/// What training came to.
struct TrainReport: Encodable {
  let name: String
  let version: Int
  let epochs: Int
  let bestEpoch: Int
  let loss: Double
  let metrics: [String: Double]
  let trainRows: Int
  let devRows: Int
  /// Rows that were longer than the vBERT reads.
  let truncatedRows: Int
  /// Of which preparing: reading n-gram rows and computing what no step changes.
  let seconds: Double
  let preparedSeconds: Double
  /// Of the epochs alone.
  let rowsPerSecond: Double
  let tokensPerSecond: Double
  /// How a tagger's data marks entities, in one word; absent for others.
  let tagScheme: TagScheme?
  private let primary: String

  enum CodingKeys: CodingKey {
    case name, version, epochs, bestEpoch, loss, metrics, trainRows, devRows, truncatedRows
    case seconds, preparedSeconds, rowsPerSecond, tokensPerSecond, tagScheme
  }

  init(
    _ outcome: TrainingJob.Outcome, version: VersionRecord,
    examples: (train: Examples, dev: Examples), prepared: Double, seconds: Double
  ) {
    name = version.vbert.text
    self.version = version.id.number
    epochs = outcome.epochs.count
    bestEpoch = outcome.best.number
    loss = outcome.best.loss
    metrics = version.metrics
    tagScheme = outcome.spec.tagScheme
    primary = outcome.best.dev.primary
    trainRows = examples.train.count
    devRows = examples.dev.count
    truncatedRows = examples.train.truncated + examples.dev.truncated
    self.seconds = seconds
    preparedSeconds = prepared
    rowsPerSecond = Double(outcome.rows) / max(1e-9, seconds - prepared)
    tokensPerSecond = Double(outcome.tokens) / max(1e-9, seconds - prepared)
  }

  var text: String {
    "\(name) version \(version): dev \(primary) \(Self.short(metrics["dev_\(primary)"] ?? 0)) "
      + "after epoch \(bestEpoch) of \(epochs); \(trainRows) rows, \(Int(seconds)) s, "
      + "\(Int(rowsPerSecond)) rows/s"
      + (tagScheme.map { "; tags read as \($0)" } ?? "")
      + (truncatedRows > 0 ? "; \(truncatedRows) rows were cut to the maximum length" : "")
  }

  /// Four digits after the point.
  static func short(_ value: Double) -> String { "\((value * 10_000).rounded() / 10_000)" }
}
