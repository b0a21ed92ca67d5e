import AccuracyStudy
import ArgumentParser
import Compute
import Foundation
import Manager
import Model
import Synchronization
import Trainer

struct ReportAccuracyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "accuracy",
    abstract: "Train and test every task of a data folder in several ways, side by side.",
    discussion: """
      The folder holds cls/TASK, pair/TASK and ner/TASK, each with train, dev and test.jsonl.gz. \
      Compared are: full fine-tuning of the ordinary base, adapters on it, and adapters on skip \
      bases, with every n-gram exact, in fallback at the base's own table, and from int8 rows. \
      Results go to --log as they come; a stopped study goes on with what is missing there.
        vbert report accuracy --data data --base minilm --skip-base minilm-skip2 --out accuracy
      With --rows or --in-all few rows of train are learnt from, drawn --draws times, with no dev rows: \
      8 of every class, 100 in all. Taggers and scores have the second alone. --peers takes what others \
      reached on the same draws (Benchmarks).
        vbert report accuracy --data data --base minilm --skip-base minilm-skip2 --rows 8,16,32 \
      --in-all 100,300 --draws 5 --peers logistic.jsonl --out few-rows
      """)

  @OptionGroup var options: GlobalOptions
  @OptionGroup var device: DeviceOptions
  @Option(help: "The folder of tasks.") var data: String
  @Option(help: "The ordinary base.") var base: String
  @Option(help: "A skip base; may be repeated.") var skipBase: [String] = []
  @Option(
    help: "An adapter; may be repeated (default: what vbert create gives for the task).",
    transform: { try AdapterSpec(parsing: $0) })
  var adapter: [AdapterSpec] = []
  @Option(help: "Also with this domain's n-gram rows, on skip bases; may be repeated.")
  var domain: [String] = []
  @Option(
    help: """
      What to compare: full, dense, exact, fallback, int8 (default: all); of few rows full, dense, exact \
      (default: exact), or none: --peers alone.
      """)
  var methods: String?
  @Option(help: "Only these kinds of task.") var kinds = "cls,pair,ner"
  @Option(help: "Only these tasks, with commas between.") var tasks = ""
  @Option(help: "Learn from so many rows of every class: 8,16,32.") var rows = ""
  @Option(help: "Learn from so many rows in all: 100,300.") var inAll = ""
  @Option(help: "How often few rows are drawn.") var draws = 5
  @Option(help: "How few rows are learnt from, as `vbert train --effort`: quick, full or both.")
  var effort = "quick,full"
  @Option(
    help: """
      A log of others on few rows; may be repeated. Their columns come first; with the first of all the \
      others are compared.
      """)
  var peers: [String] = []
  @Option(help: "Seeds a task.") var seeds = 1
  @Option(help: "Most training rows of a task; 0: all. Few rows are drawn from all.") var train =
    AccuracyRows.Caps().train
  @Option(help: "Most dev rows; 0: all.") var dev = AccuracyRows.Caps().dev
  @Option(help: "Most test rows; 0: all.") var test = AccuracyRows.Caps().test
  @Option(
    help: """
      Fewest test rows of a task that counts in the means. From few rows those with fewer are learnt only \
      where --tasks names them.
      """)
  var leastTest = 1000
  @Option(help: "Most passes over the data, for every method; few rows: as vbert train.")
  var epochs = 6
  @Option(
    help: "More passes over small data, to make at least so many steps; few rows: as vbert train.")
  var steps = 300
  @Option(help: "Peak learning rate of full fine-tuning.") var fullLr: Float = 1e-4
  @Option(help: "Peak learning rate of adapters (default: as vbert train takes it).")
  var lr: Float?
  @Option(help: "Share of the steps over which rates rise.") var warmup = TrainingOptions().warmup
  @Option(help: "Longest input in tokens.") var maxLength = 128
  @Option(help: "Trainings at the same time.") var jobs = 1
  @Option(help: "Threads of each.") var threads: Int?
  @Option(help: "Where results are kept as they come (default: OUT.jsonl).") var log: String?
  @Option(help: "Writes OUT.json, OUT.md and OUT.svg.") var out = "accuracy"

  private static let known: Set<String> = ["full", "dense", "exact", "fallback", "int8"]

  func validate() throws {
    if isFew {
      try validateFewRows()
    } else {
      guard Set(chosen).isSubset(of: Self.known), !chosen.isEmpty else {
        throw ValidationError("--methods knows full, dense, exact, fallback and int8")
      }
      guard peers.isEmpty else {
        throw ValidationError("--peers are of few rows; give --rows or --in-all")
      }
    }
    _ = try chosenKinds()
    guard seeds >= 1, epochs >= 1, steps >= 0, jobs >= 1, jobs <= 256, threads ?? 1 >= 1 else {
      throw ValidationError("--seeds, --epochs, --jobs and --threads must be 1 or more")
    }
    guard train >= 0, dev >= 0, test >= 0, leastTest >= 0 else {
      throw ValidationError("--train, --dev, --test and --least-test must not be negative")
    }
    guard [lr ?? fullLr, fullLr].allSatisfy({ $0 > 0 && $0 < 1 }) else {
      throw ValidationError("learning rates are in 0...1")
    }
    guard 0...1 ~= warmup else { throw ValidationError("--warmup is a share: 0...1") }
  }

  var chosen: [String] {
    (methods ?? (isFew ? "exact" : "full,dense,exact,fallback,int8"))
      .split(separator: ",").map(String.init)
  }

  func chosenKinds() throws -> [AccuracyTask.Kind] {
    let names = kinds.split(separator: ",").map(String.init)
    let list = names.compactMap(AccuracyTask.Kind.init)
    guard list.count == names.count, !list.isEmpty else {
      throw ValidationError("--kinds knows cls, pair and ner, with commas between")
    }
    return list
  }

  /// Fewest test rows of tasks in the means: where --test keeps fewer, those count.
  var leastCounted: Int { test > 0 ? min(test, leastTest) : leastTest }

  func candidates() throws -> [AccuracyCandidate] {
    let store = options.openBases()
    let dense = try store.load(base)
    let adapters: [AdapterSpec?] = adapter.isEmpty ? [nil] : adapter
    var list: [AccuracyCandidate] = []
    if chosen.contains("full") {
      list.append(AccuracyCandidate(base: dense, training: .full, readings: [.exact]))
    }
    if chosen.contains("dense") {
      list += adapters.map {
        AccuracyCandidate(base: dense, training: .adapter($0), readings: [.exact])
      }
    }
    let readings = AccuracyCandidate.Reading.allCases.filter { chosen.contains($0.rawValue) }
    for name in skipBase where !readings.isEmpty {
      let skip = try store.load(name)
      guard skip.configuration.isSkip else { throw PLOTUsageError.dense(name) }
      for domain in [nil] + domain {
        list += adapters.map {
          AccuracyCandidate(
            base: skip, training: .adapter($0), domain: domain, readings: readings)
        }
      }
    }
    return list
  }

  func run() throws {
    let candidates = try candidates()
    let tasks = try AccuracyTask.list(
      in: URL(filePath: data, directoryHint: .isDirectory), kinds: try chosenKinds(),
      names: tasks.split(separator: ",").map(String.init))
    guard !isFew else { return try fewRows(candidates, tasks) }
    let log = try AccuracyLog(path: log ?? "\(out).jsonl")
    try study(candidates, tasks, log)
    let table = AccuracyTable(
      log.results, methods: candidates.flatMap { c in c.readings.map { c.method($0) } },
      leastTest: leastCounted)
    try write(table, markdown: table.markdown, picture: table.picture)
    if options.json { try Output.json(table) } else { print(table.markdown) }
  }

  /// What one thread does next: a task, a candidate, a seed.
  private struct Work {
    let task: AccuracyTask
    let candidate: AccuracyCandidate
    let seed: UInt64
  }

  private func study(
    _ candidates: [AccuracyCandidate], _ tasks: [AccuracyTask], _ log: AccuracyLog
  ) throws {
    let works = (1...UInt64(seeds)).flatMap { seed in
      tasks.flatMap { task in
        candidates.map { Work(task: task, candidate: $0, seed: seed) }
      }
    }
    try inThreads(works, name: \.task.name) { try run($0, $1, $2, log) }
  }

  /// Does works in --jobs threads, each with a device's trial of its own; the first error ends all.
  func inThreads<Work: Sendable>(
    _ works: [Work], name: @Sendable (Work) -> String,
    _ run: @Sendable (Work, AccuracyTrial, AccuracyRowsCache) throws -> Void
  ) throws {
    guard !works.isEmpty else { return }
    let next = Mutex(0)
    let failure = Mutex<(any Error)?>(nil)
    let bar = Mutex(ProgressLine())
    let known = AccuracyRowsCache(most: 2 * jobs)
    let opened = try Device(device)
    let threads = threads ?? max(1, ProcessInfo.processInfo.activeProcessorCount / jobs)
    DispatchQueue.concurrentPerform(iterations: jobs) { _ in
      do {
        let trial = AccuracyTrial(backend: try opened.trainer(threads: threads))
        while true {
          let number = next.withLock { next in
            defer { next += 1 }
            return next
          }
          guard number < works.count, failure.withLock({ $0 == nil }) else { return }
          let work = works[number]
          try run(work, trial, known)
          bar.withLock {
            $0.update(
              "accuracy", done: number + 1, of: works.count, unit: "trainings",
              note: ", \(name(work))")
          }
        }
      } catch {
        failure.withLock { $0 = error }
      }
    }
    bar.withLock { $0.end() }
    if let error = failure.withLock({ $0 }) { throw error }
  }

  private func run(
    _ work: Work, _ trial: AccuracyTrial, _ known: AccuracyRowsCache, _ log: AccuracyLog
  ) throws {
    let (task, candidate) = (work.task, work.candidate)
    let missing = candidate.readings.filter {
      !log.has(task, candidate.method($0), seed: work.seed)
    }
    guard !missing.isEmpty else { return }
    let start = ContinuousClock.now
    var caps = AccuracyRows.Caps()
    (caps.train, caps.dev, caps.test) = (train, dev, test)
    let rows = try known.rows(
      task, caps: caps, maxLength: min(maxLength, candidate.base.configuration.maxPositions),
      base: candidate.base)
    var options = TrainingOptions()
    (options.seed, options.warmup) = (work.seed, warmup)
    options.epochs = max(epochs, min(100, steps * options.batch / max(1, rows.train.count)))
    let outcome = try trial.run(
      candidate, readings: missing, rows: rows,
      settings: .init(options: options, fullRate: fullLr, adapterRate: lr))
    for (reading, scores) in outcome.scores {
      try log.append(
        AccuracyResult(
          task: task, method: candidate.method(reading), seed: work.seed, outcome: outcome,
          rows: rows, scores: scores, seconds: (ContinuousClock.now - start) / .seconds(1)))
    }
  }

  func write(_ table: some Encodable, markdown: String, picture: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    try encoder.encode(table).write(to: URL(filePath: "\(out).json"), options: .atomic)
    try Data(markdown.utf8).write(to: URL(filePath: "\(out).md"), options: .atomic)
    try Data(picture.utf8).write(to: URL(filePath: "\(out).svg"), options: .atomic)
  }
}
