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
        vbert train reviews --data train.jsonl
      Up to 5,000 rows of a classifier, and 1,000 of tags, scores or several labels, are learnt so: a head is found on
      frozen states, then an adapter is tuned, and kept where rows that were held out say that it helps. More rows, and
      who gives --epochs, --batch or --patience, train by epochs.
        vbert train reviews --data train.jsonl --effort quick
        vbert train reviews --data train.jsonl --dev dev.jsonl --epochs 5 --batch 16
      An embedder that was created with an adapter learns from rows of one kind: {"text", "text_pair"}, which should be
      near; {"anchor", "positive", "negative"}, negative a text or a list; {"text", "label"}, near where labels are
      the same; {"text", "text_pair", "score"}, as near as the score is high.
        vbert train faq-search --data pairs.jsonl --dimensions 384,192,96
      --many trains every vBERT of a list in the same batches, one {"name", "data"} a line, with "dev"
      where it has rows for that, and "effort", "epochs", "lr", "batch", "seed", "patience" and "limit" where they
      differ from the options here; each goes the way that it goes alone.
        vbert train --many jobs.jsonl --device cuda
        vbert train --many jobs.jsonl --memory 4G --json 2> ended.jsonl > report.json
      As many at once as --memory holds; what they have become is published before the next begin. Each is
      told on stderr as it ends (with --json an object a line), the worst first at the end. What is wrong
      with one leaves the others alone; the exit status is 1 if any failed.
      """)

  @OptionGroup var options: GlobalOptions
  @Argument(help: "The vBERT's name.", transform: { try VBertName($0) }) var name: VBertName?
  @Option(help: "Training rows.") var data: String?
  @Option(help: "A list of vBERTs to train at once.") var many: String?
  @Option(
    help: """
      Rows to measure by, and where training goes by epochs, to choose the best of them (default: cross-validation \
      below 500 rows, a tenth of the data from there on).
      """)
  var dev: String?
  @Option(
    help: """
      quick: a head alone, found on frozen states; full: an adapter too, where it is worth it (default: full; \
      quick for --many above 20).
      """)
  var effort: Effort?
  @Option(
    help:
      "Steps of the adapter's course on few rows (default: what suits their number, in whole passes)."
  )
  var steps: Int?
  @Option(help: "Most passes over the data: training goes by epochs (default: 10, if it does).")
  var epochs: Int?
  @Option(help: "Peak learning rate (default: what suits head and adapter).") var lr: Float?
  @Option(help: "What the head's rate is of that (default: what suits the base's states).")
  var headRate: Float?
  @Option(help: "Rows a step, by epochs (default: 32).") var batch: Int?
  @Option(help: "The same seed gives the same result.") var seed = TrainingOptions().seed
  @Option(help: "Dropout on the head's input, by epochs (default: 0.1).") var dropout: Float?
  @Option(help: "Dropout on the adapters' outputs, by epochs (default: 0).")
  var adapterDropout: Float?
  @Option(help: "none, or balanced: rare classes count more, by epochs (default: none).")
  var classWeights: TrainingOptions.ClassWeights?
  @Option(
    help: "Epochs without a better result before it stops; 0: never stop early (default: 4).")
  var patience: Int?
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
    if let effort, let first = ofEpochs.first {
      throw ValidationError(
        "--effort \(effort) does not go by epochs; leave \(first) out, or --effort")
    }
    if steps != nil, let first = ofEpochs.first {
      throw ValidationError(
        "\(first) means training by epochs, which has no --steps; leave one out")
    }
    if effort == .quick, let option = lr != nil ? "--lr" : steps != nil ? "--steps" : nil {
      throw ValidationError("--effort quick tunes nothing; leave \(option) out, or use full")
    }
    guard 1...100_000 ~= steps ?? 1 else { throw ValidationError("--steps must be 1 to 100000") }
    do { try training.check() } catch { throw ValidationError("--\(error)") }
    guard limit ?? 1 >= 1 else { throw ValidationError("--limit must be 1 or more") }
    guard threads ?? 1 >= 1 else { throw ValidationError("--threads must be 1 or more") }
  }

  private var training: TrainingOptions {
    var options = TrainingOptions()
    options.epochs = epochs ?? options.epochs
    options.rate = lr ?? options.rate
    options.batch = batch ?? options.batch
    options.headRate = headRate
    options.seed = seed
    options.dropout = dropout ?? options.dropout
    options.adapterDropout = adapterDropout ?? options.adapterDropout
    options.classWeights = classWeights ?? options.classWeights
    options.patience = patience ?? options.patience
    options.loss = loss
    options.dimensions = dimensions?.sizes ?? []
    return options
  }

  /// Those that were given of the options that mean training by epochs.
  private var ofEpochs: [String] {
    [
      ("epochs", epochs != nil), ("batch", batch != nil), ("patience", patience != nil),
      ("head-rate", headRate != nil), ("dropout", dropout != nil),
      ("adapter-dropout", adapterDropout != nil), ("class-weights", classWeights != nil),
    ].filter(\.1).map { "--\($0.0)" }
  }

  private var wish: TrainingWish { ofEpochs.isEmpty ? .effort(effort) : .byEpochs }

  private func requests() throws -> [TrainingRequest] {
    if let many {
      return try TrainingList(
        many, options: training, rate: lr, wish: wish, steps: steps, limit: limit, startsAnew: anew
      ).requests
    }
    guard let name, let data else { return [] }
    return [
      TrainingRequest(
        name: name, data: data, dev: dev, limit: limit, options: training, rate: lr,
        wish: wish, steps: steps, startsAnew: anew)
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
extension Effort: ExpressibleByArgument {}
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
