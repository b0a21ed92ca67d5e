import ArgumentParser
import Compute
import ComputeCPU
import Files
import Foundation
import Manager
import Model

struct PLOTVerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify", abstract: "Check every checksum and compute a sample of rows anew.",
    discussion: """
      With --corpus also: what storing rows as fp16 or int8 costs on these texts, against fp32 rows: \
      in the states that enter the upper layers, in the final states, in their mean.
      """)

  @OptionGroup var options: PLOTOptions
  @Option(help: "Rows to compute anew.") var sample = 1000
  @Option(parsing: .upToNextOption, help: "Text files, plain or gzip, one text a line.")
  var corpus: [String] = []
  @Option(help: "Texts to take from the corpus.") var texts = 64

  private struct Distance: Encodable {
    /// nil where a row holds what is no number.
    var maxAbs: Double?
    var minCosine: Double
    var meanCosine: Double

    init(_ error: RoundingError) {
      maxAbs = error.largest.isFinite ? Double(error.largest) : nil
      minCosine = error.leastCosine
      meanCosine = error.meanCosine
    }
  }

  private struct Rounding: Encodable {
    var type: String
    var entering: Distance
    var final: Distance
    var embeddings: Distance
  }

  private struct Report: Encodable {
    var file: String
    var good: Bool
    var indexDamaged: Bool
    var checksumsDamaged: Bool
    var damagedRows: Int
    /// Rows of tokens that the base does not have.
    var strangeRows: Int
    var sample: Int
    var wrongRows: Int
    var rows: Distance
    var rounding: [Rounding]
  }

  func validate() throws {
    guard sample >= 0, texts >= 0 else {
      throw ValidationError("--sample and --texts must not be negative")
    }
  }

  func run() throws {
    let base = try options.openBase()
    let url = options.file(of: base)
    guard FileKind(url) != .missing else {
      throw PLOTUsageError.none(base: base.name, domain: options.domain)
    }
    let file = try PLOTFile(
      opening: url, baseHash: try base.rowsHash(domain: options.domain),
      hidden: base.configuration.hiddenSize)
    let backend = try CPUBackend()
    let model = try BaseModel(
      source: try base.weights(domain: options.domain), configuration: base.configuration,
      backend: backend)
    let local = try LocalEncoder(base: model, backend: backend)
    let found = try PLOTVerification(
      of: file, computer: local, sample: sample,
      vocabulary: base.configuration.vocabularySize)
    let upper = try UpperEncoder(base: model, backend: backend, tokenBudget: 128)
    let batches = try readTexts(base)
    let report = Report(
      file: url.filePath, good: found.isGood,
      indexDamaged: found.damage.index, checksumsDamaged: found.damage.checksums,
      damagedRows: found.damage.rows, strangeRows: found.damage.strangers,
      sample: found.sample, wrongRows: found.wrongRows,
      rows: Distance(found.error),
      rounding: try batches.isEmpty
        ? []
        : [PLOTRowType.float16, .int8].map { type in
          let cost = try PLOTRounding(
            type: type, batches: batches, computer: local, encoder: upper)
          return Rounding(
            type: type.name, entering: Distance(cost.entering), final: Distance(cost.final),
            embeddings: Distance(cost.embeddings))
        })
    try show(report)
    if !found.isGood { throw PLOTUsageError.bad(path: report.file) }
  }

  private func readTexts(_ base: Base) throws -> [PackedBatch] {
    var batches: [PackedBatch] = []
    for path in corpus {
      let reader = try LineReader(path: path)
      while batches.count < texts, let line = try reader.next() {
        let encoding = base.tokenizer.encode(
          String(decoding: line.bytes, as: UTF8.self), maxLength: 128)
        if encoding.count > 2 {
          batches.append(
            PackedBatch(sequences: [try TokenSequence(encoding, for: base.configuration)]))
        }
      }
    }
    return batches
  }

  private func show(_ report: Report) throws {
    if options.global.json { return try Output.json(report) }
    print("\(report.file): \(report.good ? "good" : "NOT good")")
    let damage = [
      report.indexDamaged ? "the index" : nil, report.checksumsDamaged ? "the checksums" : nil,
      report.damagedRows > 0 ? "\(report.damagedRows) rows" : nil,
      report.strangeRows > 0
        ? "\(report.strangeRows) rows of tokens that the base does not have" : nil,
    ].compactMap(\.self)
    print("damaged: \(damage.isEmpty ? "nothing" : damage.joined(separator: ", "))")
    print("computed anew: \(report.sample) rows, \(report.wrongRows) wrong")
    func cells(_ name: String, _ what: String, _ distance: Distance) -> [String] {
      [
        name, what, distance.maxAbs.map { String(format: "%.2e", $0) } ?? "-",
        String(format: "%.6f", distance.minCosine), String(format: "%.6f", distance.meanCosine),
      ]
    }
    Output.table(
      ["ROWS", "WHAT", "MAX ABS", "MIN COSINE", "MEAN COSINE"],
      [cells("stored", "slots", report.rows)]
        + report.rounding.flatMap {
          [
            cells($0.type, "entering states", $0.entering),
            cells($0.type, "final states", $0.final),
            cells($0.type, "embeddings", $0.embeddings),
          ]
        })
  }
}
