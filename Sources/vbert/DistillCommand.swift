import ArgumentParser
import Files
import Foundation
import Manager
import Model
import Trainer

struct DistillCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "distill",
    abstract: "Make a skip base that answers as an ordinary one does, from plain text.",
    discussion: """
      The lower layers of the new base run over n-grams alone, so that they can be read from a table; \\
      it is taught on the text to come near the ordinary base's states and attention. Give --tokens \\
      or --seconds; a run that was stopped goes on with --resume.
        vbert distill --base minilm --skip 2 --corpus text/*.txt.gz --tokens 500M
      """)

  @OptionGroup var options: GlobalOptions
  @OptionGroup var device: DeviceOptions
  @OptionGroup var recipe: DistillRecipe
  @Option(help: "The ordinary base, which teaches.") var base: String
  @Option(name: [.customLong("skip")], help: "How many lower layers are not computed.")
  var depth = 2
  @Option(help: "A skip base of that depth to go on from (default: the ordinary base, cut).")
  var from: String?
  @Option(
    parsing: .upToNextOption,
    help: "Text files, plain or gzip, one text a line, or two with a tab between.")
  var corpus: [String]
  @Option(help: "What to call the new base (default: BASE-skipK).") var name: String?
  @Option(help: "Text to learn from, in tokens; K, M and G may follow.") var tokens: TokenCount?
  @Option(help: "Time to learn, in seconds.") var seconds: Double?
  @Option(help: "Also write the weights without word embeddings, in bf16, to this file.")
  var weights: String?
  @Option(help: "Where the run is kept (default: HOME/distill/NAME.safetensors).")
  var checkpoint: String?
  @Flag(help: "Go on where the checkpoint was written.") var resume = false
  @Option(help: "Steps between measurements and checkpoints.") var every = 250
  @Option(help: "Held-out lines to measure on.") var devLines = 256
  @Option(help: "Append the measurements to this file, a JSON object a line.") var curve: String?
  @Option(help: "Threads (default: all processors).")
  var threads = ProcessInfo.processInfo.activeProcessorCount

  func validate() throws {
    guard !corpus.isEmpty else { throw ValidationError("--corpus names no file") }
    guard tokens != nil || seconds != nil else {
      throw ValidationError("give --tokens or --seconds: how long to learn")
    }
    guard seconds.map({ $0 > 0 && $0.isFinite }) ?? true else {
      throw ValidationError("--seconds must be above 0")
    }
    guard every >= 1 else { throw ValidationError("--every must be 1 or more") }
    guard devLines >= 1 else { throw ValidationError("--dev-lines must be 1 or more") }
    guard (1...1024).contains(threads) else { throw ValidationError("--threads must be 1...1024") }
  }

  func run() throws {
    try Corpus.warn(of: corpus)
    let home = Home(option: options.home)
    let bases = BaseStore(home: home)
    let teacher = try bases.loadToSkip(base, depth: depth)
    let name = name ?? "\(base)-skip\(depth)"
    // Hours of work should not end at a name that is taken.
    guard try !bases.exists(name) else { throw BaseError.exists(name: name) }
    var configuration = teacher.configuration
    configuration.skipDepth = depth
    let device = try Device(device)
    let made = recipe.options(longest: configuration.maxPositions, on: device)
    let distillation = try Distillation(
      teacher: teacher.weights,
      start: try start(teacher, configuration, bases),
      configuration: configuration, tokenizer: teacher.tokenizer, corpus: corpus, options: made,
      devLines: devLines, threads: threads, backend: try device.trainer(threads: threads))
    let origin = DistillationOrigin(
      teacher: teacher.record.contentHash, depth: depth, options: made)
    let path = try checkpointPath(home, name)
    if resume { try distillation.resume(from: path, origin: origin) }
    try teach(distillation, path, origin)
    let tensors = try distillation.tensors()
    // What the new base takes over from the ordinary one is as it was hours ago.
    let sound = try bases.loadAgain(teacher)
    if let weights {
      try BaseStore.writeDistilled(
        tensors, of: sound, depth: depth,
        notes: ["teacher": base, "tokens": String(distillation.state.tokens)], to: weights)
    }
    let record = try bases.addDistilled(tensors, of: sound, depth: depth, name: name)
    try? FileManager.default.removeItem(atPath: path)
    let report = DistillReport(record, distillation.state)
    if options.json { try Output.json(report) } else { print(report.text) }
  }

  /// What the student is before it learns.
  private func start(
    _ teacher: Base, _ configuration: Configuration, _ bases: BaseStore
  ) throws -> any TensorSource {
    guard let from else {
      return try SkipStart(teacher.weights, teacher.configuration, depth: depth)
    }
    let student = try bases.load(from)
    guard student.configuration == configuration else {
      throw DomainError.otherTeacher(base, base: from)
    }
    return student.weights
  }

  private func checkpointPath(_ home: Home, _ name: String) throws -> String {
    if let checkpoint { return checkpoint }
    let directory = home.distillations
    try FileManager.default.createDirectory(
      at: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    return directory.appending(path: "\(name).safetensors").filePath
  }

  private func teach(
    _ distillation: Distillation, _ path: String, _ origin: DistillationOrigin
  ) throws {
    var bar = DistillProgress(limit: DistillationLimit(tokens: tokens?.count, seconds: seconds))
    let curve = try curve.map { try CurveFile(path: $0) }
    try distillation.run(
      until: bar.limit, every: every, save: { try distillation.save(to: path, origin: origin) }
    ) { event in
      bar.show(event)
      if case .measured(let point) = event { curve?.append(point, bar.rates) }
    }
    bar.end()
  }
}
