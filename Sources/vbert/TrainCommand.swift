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
      An embedder that was created with an adapter learns from rows of one kind: {"text", "text_pair"}, which should be
      near; {"anchor", "positive", "negative"}, negative a text or a list; {"text", "label"}, near where labels are
      the same; {"text", "text_pair", "score"}, as near as the score is high.
        vbert train faq-search --data pairs.jsonl --dimensions 384,192,96
      --many trains every vBERT of a list in the same batches, one {"name", "data"} a line, with "dev"
      where it has rows for that, and "epochs", "lr", "batch", "seed", "patience" and "limit" where they
      differ from the options here; each goes the way that it goes alone.
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
  @Option(
    help: """
      What an embedder lowers: ranking (pairs and triplets), neighbours or contrastive (labels), cosine or cosent \
      (scores), margin (all but scores) (default: the first that suits the rows).
      """)
  var loss: EmbeddingLoss?
  @Option(
    help: """
      Sizes that an embedder's vectors may be cut to, with commas between: all are trained, and it answers no others \
      (default: as before, or all as the base has them).
      """, transform: { try SizeList($0) })
  var dimensions: SizeList?
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
      guard name == nil, data == nil, dev == nil else {
        throw ValidationError("--many takes names, --data and --dev from its list")
      }
    } else if name == nil || data == nil {
      throw ValidationError("name a vBERT and its --data, or a list with --many")
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
    options.loss = loss
    options.dimensions = dimensions?.sizes ?? []
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

  /// Tokens that run at once where many train, and bytes of states that are kept.
  private var room: (tokens: Int, bytes: Int) {
    switch device.device {
    case .cpu: (4096, 4 << 30)
    case .cuda: (65_536, 40 << 30)
    }
  }

  func run() async throws {
    let store = try options.openStore()
    let service = try TrainingService(
      store: store, room: room, note: note, patience: .onTerminal
    ) { [precision = precision.precision.choice(on: device)] spec in
      try OpenedBase(
        of: spec, home: store.home, device: device, precision: precision,
        threads: threads)
    }
    var line = TrainingLine()
    let report = try await service.run(try requests(), report: { line.hear($0) })
    for words in TrainReport.doubts(report) { ProgressLine.warn(words) }
    if many != nil {
      let all = TrainManyReport(report)
      if options.json { try Output.json(all) } else { print(all.text) }
      if all.failed > 0 { throw ExitCode(1) }
      return
    }
    for result in report.results {
      let one = TrainReport(result, try result.result.get(), report)
      if options.json { try Output.json(one) } else { print(one.text) }
    }
  }
}

extension TrainingOptions.ClassWeights: ExpressibleByArgument {}
extension EmbeddingLoss: ExpressibleByArgument {}

/// --dimensions: 384,192,96.
struct SizeList {
  let sizes: [Int]

  init(_ text: String) throws {
    sizes = try text.split(separator: ",", omittingEmptySubsequences: false).map {
      guard let size = Int($0.trimmingCharacters(in: .whitespaces)), size > 0 else {
        throw ValidationError(
          "--dimensions takes whole numbers with commas between, as in 384,192,96")
      }
      return size
    }
  }
}
