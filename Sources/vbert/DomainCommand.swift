import ArgumentParser
import Foundation
import Manager
import Model
import Trainer

struct DomainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "domain", abstract: "Fields of text with n-gram rows of their own.",
    subcommands: [DomainTrainCommand.self])
}

struct DomainTrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Teach a skip base's local layers a domain's text, for the rows of its table.",
    discussion: """
      Everything above the n-grams stays as it is, so all other vBERTs of the base go on as before. Then \
      build the domain's table: its rows are computed by what was learnt. Until it is built its vBERTs are \
      refused, as an older table is not what was learnt now; a running server keeps to that one.
        vbert domain train --base minilm-skip2 --teacher minilm --domain bio --corpus bio.txt.gz \
      --tokens 20M
        vbert plot build --base minilm-skip2 --domain bio --corpus bio.txt.gz --rows 50000
      """)

  @OptionGroup var options: GlobalOptions
  @OptionGroup var device: DeviceOptions
  @OptionGroup var recipe: DistillRecipe
  @Option(help: "The skip base.") var base: String
  @Option(help: "The ordinary base that it was made from.") var teacher: String
  @Option(help: "The domain's name.") var domain: String
  @Option(parsing: .upToNextOption, help: "Its text, plain or gzip, one text a line.")
  var corpus: [String]
  @Option(help: "Text to learn from, in tokens; K, M and G may follow.") var tokens: TokenCount?
  @Option(help: "Time to learn, in seconds.") var seconds: Double?
  @Option(help: "Steps between measurements.") var every = 250
  @Option(help: "Held-out lines to measure on.") var devLines = 256
  @Option(help: "Threads (default: all processors).")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    guard !corpus.isEmpty else { throw ValidationError("--corpus names no file") }
    guard tokens != nil || seconds != nil, seconds.map({ $0 > 0 && $0.isFinite }) ?? true else {
      throw ValidationError("give --tokens or --seconds: how long to learn")
    }
    guard every >= 1, devLines >= 1, (1...1024).contains(threads) else {
      throw ValidationError("--every, --dev-lines and --threads must be 1 or more")
    }
  }

  func run() throws {
    try Corpus.warn(of: corpus)
    let bases = options.openBases()
    let student = try bases.load(base)
    guard student.configuration.isSkip else { throw PLOTUsageError.dense(base) }
    try PLOTDomain.check(name: domain)
    let dense = try bases.loadToSkip(teacher, depth: student.configuration.skipDepth)
    var same = student.configuration
    same.skipDepth = 0
    guard same == dense.configuration else { throw DomainError.otherTeacher(teacher, base: base) }
    let device = try Device(device)
    let distillation = try Distillation(
      teacher: dense.weights, start: student.weights, configuration: student.configuration,
      scope: .local, tokenizer: student.tokenizer, corpus: corpus,
      options: recipe.options(longest: student.configuration.maxPositions, on: device),
      devLines: devLines,
      threads: threads, backend: try device.trainer(threads: threads))
    var bar = DistillProgress(limit: DistillationLimit(tokens: tokens?.count, seconds: seconds))
    try distillation.run(until: bar.limit, every: every, report: { bar.show($0) })
    bar.end()
    try student.write(try distillation.tensors(), domain: domain)
    let curve = distillation.state.curve
    let report = Report(
      domain: domain, tokens: distillation.state.tokens, lossBefore: curve.first?.devLoss ?? 0,
      lossAfter: curve.last?.devLoss ?? 0, cosineBefore: curve.first?.cosine ?? 0,
      cosineAfter: curve.last?.cosine ?? 0)
    if options.json { return try Output.json(report) }
    print(
      "\(domain): \(report.tokens) tokens; held-out loss \(TrainReport.short(report.lossBefore)) -> "
        + "\(TrainReport.short(report.lossAfter)), cosine \(TrainReport.short(report.cosineBefore))"
        + " -> \(TrainReport.short(report.cosineAfter))\nbuild its table with: "
        + "vbert plot build --base \(base) --domain \(domain) --corpus FILE...")
  }

  private struct Report: Encodable {
    let domain: String
    let tokens: Int
    let lossBefore, lossAfter, cosineBefore, cosineAfter: Double
  }
}

enum DomainError: Error, CustomStringConvertible {
  case otherTeacher(String, base: String)

  var description: String {
    switch self {
    case .otherTeacher(let teacher, let base):
      "\(base) was not made from \(teacher): their shapes differ; give the ordinary base that it was"
    }
  }
}
