import ArgumentParser
import Foundation
import Manager
import Model
import Scheduler
import Trainer

struct PredictCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "predict", abstract: "Ask a vBERT, without a server.",
    discussion: """
        vbert predict reviews "A film that I would watch again."
        vbert predict same-question "Who wrote it?" --pair "By whom was it written?"
        vbert predict reviews --data in.jsonl --json > out.jsonl
      """)

  @OptionGroup var options: GlobalOptions
  @Argument(help: "The vBERT's name.", transform: { try VBertName($0) }) var name: VBertName
  @Argument(help: "A text; a tagger splits it into words as /tag does.") var text: String?
  @Option(help: "The second text of a pair.") var pair: String?
  @Option(
    help: "JSONL, plain or gzip: rows as for train, without labels; a tagger also takes {\"text\"}."
  )
  var data: String?
  @Option(help: "A version's number (default: the one that answers now).") var version: Int?
  @Flag(help: "Cut texts that are longer than the vBERT reads (default: they are refused).")
  var truncate = false
  @Option(help: "Where they are cut: left, or right.") var truncationDirection: TruncationSide?
  @OptionGroup var device: DeviceOptions
  @OptionGroup var precision: PrecisionOptions
  @Option(help: "Compute threads of a CPU (default: all cores).") var threads: Int?

  func validate() throws {
    guard (text == nil) != (data == nil) else {
      throw ValidationError("give either a text or --data")
    }
    guard truncate || truncationDirection == nil else {
      throw ValidationError("--truncation-direction goes with --truncate")
    }
    guard pair == nil || text != nil else { throw ValidationError("--pair goes with a text") }
    guard threads ?? 1 >= 1 else { throw ValidationError("--threads must be 1 or more") }
  }

  func run() async throws {
    let store = try options.openStore()
    let chosen = try await store.version(of: name, number: version)
    let rows: DataSet
    if let data {
      rows = try DataSet(path: data, task: chosen.spec.task, labelled: false)
    } else {
      rows = DataSet(path: "the text", rows: [DataRow(line: 1, input: try input(chosen.spec.task))])
    }
    let opened = try OpenedBase(
      of: chosen.spec, home: store.home, device: device,
      precision: precision.precision, threads: threads)
    var reader = RowReader(
      spec: chosen.spec, tokenizer: opened.base.tokenizer, base: opened.base.configuration,
      cut: truncate, side: truncationDirection ?? .right)
    let read = try rows.rows.map { row in
      do { return try reader.read(row, of: rows) } catch DataSetError.row(_, _, let problem)
        where data == nil
      {
        throw PredictError.text(problem)
      }
    }
    let predictor = try await store.predictor(chosen, opened)
    var bar = ProgressLine()
    let outputs = try predictor.outputs(read.map(\.1)) {
      bar.update("predicting", done: $0, of: read.count, unit: "rows")
    }
    bar.end()
    for (row, output) in outputs.enumerated() {
      let answer = Answer(
        output, spec: chosen.spec, input: rows.rows[row].input, encoded: read[row].0)
      if options.json { try Output.json(answer) } else { print(answer.text) }
    }
  }

  private func input(_ task: VBertTask) throws -> TextInput {
    let text = text ?? ""
    if task == .tag {
      guard pair == nil else { throw ValidationError("a tagger reads one text, not a --pair") }
      return .running(text)
    }
    return pair.map { .pair(text, $0) } ?? .text(text)
  }
}

/// One prediction, as it is printed.
struct Answer: Encodable {
  var label: String?
  var labels: [String]?
  var score: Float?
  /// Of every label.
  var probabilities: [String: Float]?
  var tokens: [String]?
  var tags: [String]?
  var entities: [TaggedAnswer.Entity]?
  var embedding: [Float]?
  var tagged: String?

  enum CodingKeys: CodingKey {
    case label, labels, score, probabilities, tokens, tags, entities, embedding
  }

  init() {}

  init(_ output: [Float], spec: VBertSpec, input: TextInput, encoded: EncodedText) {
    func named(_ values: [Float]) -> [String: Float] {
      // Names are distinct by bytes, not always as Swift strings.
      Dictionary(zip(spec.labels, values), uniquingKeysWith: max)
    }
    switch spec.task {
    case .classify:
      let probabilities = Readout.softmax(output)
      let best = Readout.best(output) ?? 0
      label = spec.labels[best]
      score = probabilities[best]
      self.probabilities = named(probabilities)
    case .multilabel:
      let probabilities = Readout.sigmoids(output)
      labels = zip(spec.labels, probabilities).filter { $0.1 >= 0.5 }.map(\.0)
      self.probabilities = named(probabilities)
    case .score: score = output[0]
    case .tag:
      let answer = TaggedAnswer(output, spec: spec, input, encoded)
      (tokens, tags, entities) = (encoded.words.map(\.text), answer.tags, answer.entities)
      tagged = answer.text
    case .embed:
      embedding = Readout.embedding(output)
    }
  }

  var text: String {
    if let label, let score { return "\(label)  \(TrainReport.short(Double(score)))" }
    if let labels { return labels.isEmpty ? "(none)" : labels.joined(separator: ", ") }
    if let tagged { return tagged }
    if let embedding { return embedding.map { "\($0)" }.joined(separator: " ") }
    return score.map { "\($0)" } ?? ""
  }
}
