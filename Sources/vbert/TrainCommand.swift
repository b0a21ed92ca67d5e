import ArgumentParser
import Compute
import Foundation
import Manager
import Model
import Trainer

struct TrainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train", abstract: "Train a vBERT and publish the result as its next version.",
    discussion: """
      Rows are JSON objects, one a line, plain or gzip: {"text", "label"}, {"text", "text_pair",
      "label" or "score"}, {"text", "labels": [...]} or {"tokens", "tags"}, as the task wants them. Tags may
      be BIO, IOB1, BIOES, BILOU, types alone and more: docs/formats.md; all of a file are of one scheme.
        vbert train reviews --data train.jsonl --dev dev.jsonl
      --many trains every vBERT of a list in the same batches, one {"name", "data"} a line, with "dev"
      where it has rows for that, and "epochs", "lr", "batch", "seed", "patience" and "limit" where they
      differ from the options here; each goes the way that it goes alone.
        vbert train --many jobs.jsonl --device cuda
        vbert train --many jobs.jsonl --memory 4G --json 2> ended.jsonl > report.json
      As many at once as --memory holds; what they have become is published before the next begin. Each is
      told on stderr as it ends (with --json an object a line), the worst first at the end. What is wrong
      with one leaves the others alone; the exit status is 1 if any failed.
      """)

  @OptionGroup var options: GlobalOptions
  @Argument(help: "The vBERT's name.", transform: { try Name($0) }) var name: Name?
  @Option(help: "Training rows.") var data: String?
  @Option(help: "A list of vBERTs to train at once.") var many: String?
  @Option(help: "Rows to choose the best epoch by (default: a tenth of the data).")
  var dev: String?
  @Option(help: "Most passes over the data.") var epochs = TrainingOptions().epochs
  @Option(help: "Peak learning rate (default: what suits head and adapter).") var lr: Float?
  @Option(help: "What the head's rate is of that (default: what suits the base's states).")
  var headRate: Float?
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
  @Option(
    help: """
      Most memory that --many takes, with program and base: 4G, 512M (default: half of the machine's; a \
      GPU's: three quarters of what is free there).
      """)
  var memory: ByteSize?
  @Option(help: "A remark to keep with the version.") var note = ""

  func validate() throws {
    if many != nil {
      guard name == nil, data == nil, dev == nil else {
        throw ValidationError("--many takes names, --data and --dev from its list")
      }
    } else if name == nil || data == nil {
      throw ValidationError("name a vBERT and its --data, or a list with --many")
    } else if memory != nil {
      throw ValidationError("--memory is for --many; leave it out for one vBERT")
    }
    guard 1...ByteSize.ofMemory.upperBound ~= memory?.bytes ?? 1 else {
      throw ValidationError("--memory must be more than 0, and at most the machine's")
    }
    do { try training.check() } catch { throw ValidationError("--\(error)") }
    guard limit ?? 1 >= 1 else { throw ValidationError("--limit must be 1 or more") }
    guard threads ?? 1 >= 1 else { throw ValidationError("--threads must be 1 or more") }
  }

  private var training: TrainingOptions {
    var options = TrainingOptions()
    options.epochs = epochs
    options.rate = lr ?? options.rate
    options.batch = batch
    options.headRate = headRate
    options.seed = seed
    options.dropout = dropout
    options.adapterDropout = adapterDropout
    options.classWeights = classWeights
    options.patience = patience
    return options
  }

  private func requests() throws -> [TrainingRequest] {
    if let many {
      return try TrainingList(
        many, options: training, rate: lr, limit: limit, startsAnew: anew
      ).requests
    }
    guard let name, let data else { return [] }
    return [
      TrainingRequest(
        name: name, data: data, dev: dev, limit: limit, options: training, rate: lr,
        startsAnew: anew)
    ]
  }

  func run() async throws {
    let store = try options.openStore()
    let requests = try requests()
    let room = many == nil ? .ofOne : TrainingRoom(on: device.device, memory: memory?.bytes)
    let service = try TrainingService(
      store: store, room: room, note: note, patience: .onTerminal
    ) { [precision = precision.precision.choice(on: device)] spec in
      try OpenedBase(
        of: spec, home: store.home, device: device, precision: precision,
        threads: threads, rowBytes: room.rowCache)
    }
    var line = TrainingLine(
      many: many == nil ? nil : (options.json ? .json : .text, requests.count))
    let report = await service.run(requests, report: { line.hear($0) })
    if many != nil { return try tell(report) }
    if let stop = report.stop { throw stop }
    for result in report.results {
      let trained = try result.result.get()
      for words in TrainReport.doubts(report) { ProgressLine.warn(words) }
      let one = TrainReport(result, trained, report)
      if options.json { try Output.json(one) } else { print(one.text) }
    }
  }

  /// Of many. What ended all before anybody's end is an error like any other.
  private func tell(_ report: TrainingReport) throws {
    if let stop = report.stop {
      guard report.results.contains(where: { $0.seconds > 0 }) else { throw stop }
      ProgressLine.warn("ended before its time: \(stop)")
    }
    for words in TrainReport.doubts(report) { ProgressLine.warn(words) }
    let all = TrainManyReport(report)
    if options.json { try Output.json(all) } else { all.printText() }
    if all.failed > 0 { throw ExitCode(1) }
  }
}

extension TrainingOptions.ClassWeights: ExpressibleByArgument {}
