import ArgumentParser
import Foundation
import Manager
import Model
import Trainer

struct EvalCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "eval", abstract: "Measure a vBERT on labelled rows.")

  @OptionGroup var options: GlobalOptions
  @Argument(help: "The vBERT's name.", transform: { try VBertName($0) }) var name: VBertName
  @Option(help: "Labelled rows, as for train.") var data: String
  @Option(help: "A version's number (default: the one that answers now).") var version: Int?
  @OptionGroup var device: DeviceOptions
  @OptionGroup var precision: PrecisionOptions
  @Option(help: "Compute threads of a CPU (default: all cores).") var threads: Int?

  func validate() throws {
    guard threads ?? 1 >= 1 else { throw ValidationError("--threads must be 1 or more") }
  }

  func run() async throws {
    let store = try options.openStore()
    let chosen = try await store.version(of: name, number: version)
    let spec = chosen.spec
    let rows = try DataSet(path: data, task: spec.task, labelled: true)
    try rows.checkTags(spec)
    let opened = try OpenedBase(
      of: spec, home: store.home, device: device,
      precision: precision.precision, threads: threads)
    let examples = try Examples(
      rows, spec: spec,
      labels: spec.task == .embed ? LabelSet(of: rows, task: .embed) : LabelSet(spec.labels),
      tokenizer: opened.base.tokenizer,
      base: opened.base.configuration)
    let predictor = try await store.predictor(chosen, opened)
    var bar = ProgressLine()
    let clock = ContinuousClock()
    let start = clock.now
    let outputs = try predictor.outputs(examples.sequences) {
      bar.update("measuring", done: $0, of: examples.sequences.count, unit: "texts")
    }
    bar.end()
    let seconds = (clock.now - start) / .seconds(1)
    let scores = Scores(examples, spec: spec, logits: outputs)
    let report = Report(
      name: name.text, version: chosen.id.number, rows: examples.count,
      truncatedRows: examples.truncated, metrics: scores.values,
      rowsPerSecond: Double(examples.count) / max(1e-9, seconds))
    if options.json { return try Output.json(report) }
    let figures = scores.values.sorted { $0.key < $1.key }
      .map { "\($0.key) \(TrainReport.short($0.value))" }
    print(
      "\(name) version \(report.version) on \(report.rows) rows: "
        + figures.joined(separator: ", "))
  }

  private struct Report: Encodable {
    let name: String
    let version: Int
    let rows: Int
    let truncatedRows: Int
    let metrics: [String: Double]
    let rowsPerSecond: Double
  }
}

enum PredictError: Error, CustomStringConvertible {
  case untrained(VBertName)
  case noVersion(VBertName, Int)
  /// Given as an argument.
  case text(DataRowProblem)

  var description: String {
    switch self {
    case .untrained(let name):
      "\(name) answers nothing yet; train it with: vbert train \(name) --data FILE"
    case .noVersion(let name, let number):
      "\(name) has no version \(number); see: vbert versions \(name)"
    case .text(.otherInput(.text)): "the vBERT learnt from single texts; leave --pair out"
    case .text(.otherInput(.pair)): "the vBERT learnt from pairs; give the second text with --pair"
    case .text(let problem): "the text: \(problem)"
    }
  }
}

extension AdapterStore {
  /// The version that answers now, or the one of that number.
  func version(of name: VBertName, number: Int?) async throws -> VersionRecord {
    let vbert = try await registry.vbert(name)
    guard let current = vbert.version else { throw PredictError.untrained(name) }
    let id = VersionID(vbert: vbert.id, number: number ?? current.number)
    guard let version = try await registry.version(id) else {
      throw PredictError.noVersion(name, id.number)
    }
    return version
  }

  func predictor(_ version: VersionRecord, _ opened: OpenedBase) async throws -> Predictor {
    try Predictor(
      spec: version.spec, adapter: await load(version, base: opened.base.configuration),
      base: opened.model, lookup: opened.lookup, backend: opened.backend)
  }
}
