import Compute
import Dispatch
import Files
import Foundation
import Manager
import Model
import Synchronization
import Trainer

/// `vbert train --many`: every vBERT of a list, those of one base, domain and adapter kind in the same
/// batches.
struct TrainMany {
  /// A line of the list; what it leaves out is as the command line says.
  private struct Line: Decodable {
    var name: Name
    var data: String
    var dev: String?
    var epochs: Int?
    var lr: Float?
    var batch: Int?
    var seed: UInt64?
    var patience: Int?
    var limit: Int?
  }

  /// Where a vBERT's n-gram rows come from.
  private struct Rows: Hashable {
    let base: String
    let domain: String?
    var key: String { "\(base) \(domain ?? "")" }

    init(_ vbert: VBertRecord) { (base, domain) = (vbert.spec.base, vbert.spec.domain) }
  }

  /// A line with all that it names.
  private struct Entry {
    let vbert: VBertRecord
    let job: ManyJobs.Job
  }

  /// One vBERT's result.
  struct Result: Encodable {
    var name: String
    var version: Int?
    var epochs: Int?
    var metrics: [String: Double]?
    var trainRows: Int
    var error: String?
  }

  struct Report: Encodable {
    var vberts: [Result]
    var failed: Int
    /// All together, from the list to the last version published.
    var seconds: Double
    var readSeconds: Double
    var preparedSeconds: Double
    var trainedSeconds: Double
    var publishedSeconds: Double
    var trainedTokens: Int

    var text: String {
      let failures = vberts.compactMap { result in
        result.error.map { "\(result.name): \($0)\n" }
      }
      return failures.joined()
        + "\(vberts.count - failed) of \(vberts.count) vBERTs trained in \(Int(seconds)) s "
        + "(reading \(Int(readSeconds)) s, preparing \(Int(preparedSeconds)) s, "
        + "training \(Int(trainedSeconds)) s, publishing \(Int(publishedSeconds)) s)"
    }
  }

  let list: String
  let options: TrainingOptions
  /// Of all lines that name none; nil: what suits each vBERT.
  let rate: Float?
  let device: DeviceOptions
  let precision: PrecisionChoice
  let threads: Int?
  let note: String
  let startsAnew: Bool

  /// Tokens that run at once, and bytes of states that are kept.
  private var room: (tokens: Int, bytes: Int) {
    switch device.device {
    case .cpu: (4096, 4 << 30)
    case .cuda: (65_536, 40 << 30)
    }
  }

  func run(_ store: AdapterStore) throws -> Report {
    let (clock, start) = (ContinuousClock(), ContinuousClock.now)
    var report = Report(
      vberts: [], failed: 0, seconds: 0, readSeconds: 0, preparedSeconds: 0, trainedSeconds: 0,
      publishedSeconds: 0, trainedTokens: 0)
    let lines = try read()
    let vberts = try lines.map { try store.registry.vbert($0.name) }
    // N-gram rows are a base's and a domain's: a vBERT must not learn on another domain's.
    for rows in Set(vberts.map(Rows.init)).sorted(by: { $0.key < $1.key }) {
      let mine = vberts.indices.filter { Rows(vberts[$0]) == rows }
      let opened = try OpenedBase(
        of: vberts[mine[0]].spec, home: store.registry.home, device: device, precision: precision,
        threads: threads)
      let entries = try concurrentMap(mine.count) { [base = opened.base] i in
        Swift.Result { try entry(lines[mine[i]], vberts[mine[i]], base) }
      }.map { try $0.get() }
      report.readSeconds += (clock.now - start) / .seconds(1)
      for kind in Set(entries.map(\.job.kind)) {
        try train(entries.filter { $0.job.kind == kind }, opened, store, &report)
      }
    }
    report.seconds = (clock.now - start) / .seconds(1)
    return report
  }

  private func read() throws -> [Line] {
    let file = try MappedFile(path: list)
    let text = unsafe file.withBytes { unsafe String(decoding: $0, as: UTF8.self) }
    var (lines, names): ([Line], Set<Name>) = ([], [])
    for (number, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    where !line.allSatisfy(\.isWhitespace) {
      do {
        lines.append(try decodeJSON(Line.self, from: Array(line.utf8)))
      } catch { throw TrainManyError.line(path: list, number: number + 1, why: words(error)) }
      guard names.insert(lines[lines.count - 1].name).inserted else {
        throw TrainManyError.twice(lines[lines.count - 1].name)
      }
    }
    guard !lines.isEmpty else { throw TrainManyError.empty(path: list) }
    return lines
  }

  private func entry(_ line: Line, _ vbert: VBertRecord, _ base: Base) throws -> Entry {
    guard vbert.spec.task != .embed else {
      throw TrainingError.nothingToTrain(vbert: line.name.text)
    }
    guard base.record.contentHash == vbert.spec.baseHash else {
      throw OpenedBaseError.replaced(base: vbert.spec.base)
    }
    var options = options
    options.epochs = line.epochs ?? options.epochs
    options.rate = line.lr ?? rate ?? TrainingOptions.rate(for: vbert.spec)
    options.batch = line.batch ?? options.batch
    options.seed = line.seed ?? options.seed
    options.patience = line.patience ?? options.patience
    guard 1...1000 ~= options.epochs, 1...4096 ~= options.batch, options.rate > 0,
      options.rate < 10, options.patience >= 0, line.limit ?? 1 >= 1
    else { throw TrainManyError.outOfRange(line.name) }
    try vbert.spec.checkLength(base: base.configuration)
    let files = try TrainingData(
      data: line.data, dev: line.dev, spec: vbert.spec, limit: line.limit, options: options,
      isTrained: vbert.version != nil, startsAnew: startsAnew)
    let examples = try files.examples(tokenizer: base.tokenizer, base: base.configuration)
    return Entry(
      vbert: vbert,
      job: ManyJobs.Job(
        spec: files.spec, train: examples.train, dev: examples.dev, options: options))
  }

  private func train(
    _ entries: [Entry], _ opened: OpenedBase, _ store: AdapterStore, _ report: inout Report
  ) throws {
    guard let backend = opened.backend as? any TrainableBackend else {
      throw ComputeError.unsupported("training on \(opened.backend.name); train with --device cpu")
    }
    let running = try store.registry.beginJobs(vberts: entries.map(\.vbert.name))
    do {
      try train(entries, running, opened, backend, store, &report)
    } catch {
      try? RunningJob.fail(running, "\(error)")
      throw error
    }
  }

  private func train(
    _ entries: [Entry], _ running: [RunningJob], _ opened: OpenedBase,
    _ backend: any TrainableBackend, _ store: AdapterStore, _ report: inout Report
  ) throws {
    let clock = ContinuousClock()
    var (bar, start) = (ProgressLine(), clock.now)
    let upper = try UpperEncoder(
      base: opened.model, backend: opened.backend,
      tokenBudget: max(room.tokens, entries.map(\.job.spec.maxLength).max() ?? 0))
    let all = entries.reduce(0) { $0 + $1.job.train.count + $1.job.dev.count }
    let jobs = try ManyJobs(
      entries.map(\.job), source: opened.base.weights,
      entry: Trainer.Entry(upper, lookup: opened.lookup),
      configuration: opened.base.configuration, backend: backend, tokenBudget: room.tokens,
      stateBytes: room.bytes
    ) { bar.update("preparing", done: $0.prepared, of: all, unit: "rows") }
    try opened.confirm()
    report.preparedSeconds += (clock.now - start) / .seconds(1)
    bar.end()
    (bar, start) = (ProgressLine(), clock.now)
    let outcomes = try jobs.run { progress in
      bar.update(
        "training", done: progress.steps, of: progress.ofSteps, unit: "steps",
        note: ", \(progress.running) vBERTs left")
    }
    report.trainedSeconds += (clock.now - start) / .seconds(1)
    bar.end()
    start = clock.now
    // One that fails is no reason to lose the others.
    let trained = zip(entries, zip(running, outcomes)).map { entry, pair in
      pair.1.map { outcome in
        AdapterStore.Publication(
          outcome.adapter, as: entry.vbert, spec: outcome.spec,
          metrics: Dictionary(
            uniqueKeysWithValues: outcome.best.dev.values.map { ("dev_\($0.key)", $0.value) }),
          note: note, job: pair.0)
      }
    }
    var versions = store.publish(
      trained.compactMap { try? $0.get() }, base: opened.base.configuration, patience: .onTerminal
    ).makeIterator()
    for (number, entry) in entries.enumerated() {
      var result = Result(name: entry.vbert.name.text, trainRows: entry.job.train.count)
      do {
        let outcome = try outcomes[number].get()
        guard let version = try versions.next()?.get() else { continue }
        (result.version, result.epochs) = (version.id.number, outcome.epochs.count)
        result.metrics = version.metrics
        report.trainedTokens += outcome.tokens
      } catch {
        result.error = "\(error)"
        report.failed += 1
        try? running[number].fail("\(error)")
      }
      report.vberts.append(result)
    }
    report.publishedSeconds += (clock.now - start) / .seconds(1)
  }
}

/// What can be wrong with a list of vBERTs to train.
enum TrainManyError: Error, CustomStringConvertible {
  case line(path: String, number: Int, why: String)
  case empty(path: String)
  case twice(Name)
  case outOfRange(Name)

  var description: String {
    switch self {
    case .line(let path, let number, let why):
      "\(path), line \(number): \(why); write {\"name\": ..., \"data\": ...} and, if you want, dev, epochs, "
        + "lr, batch, seed, patience, limit"
    case .empty(let path): "\(path) names no vBERT; write one {\"name\": ..., \"data\": ...} a line"
    case .twice(let name): "\(name) is in the list twice; give each vBERT one line"
    case .outOfRange(let name):
      "\(name): epochs must be 1 to 1000, batch 1 to 4096, lr above 0 and below 10, patience 0 or "
        + "more, limit 1 or more"
    }
  }
}
