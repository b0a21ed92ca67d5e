import ArgumentParser
import Compute
import Files
import Foundation
import Manager
import Model

/// `vbert dump`: a base's hidden states, for comparison with other implementations.
struct Dump: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Write a base's hidden states of texts to a safetensors file.",
    discussion: """
      Tensors are named <row> [tokens, hidden] for --layers last, and <row>.<layer> for --layers all,
      where layer 0 is the state that enters the first computed layer. Rows count from 0.
        vbert dump --base minilm --data in.jsonl --layers all --out states.safetensors
        vbert dump --base skip2 --data in.jsonl --plot fallback --known ngrams.json --out f.safetensors
      """)

  enum Layers: String, ExpressibleByArgument, CaseIterable { case all, last }

  @OptionGroup var global: GlobalOptions
  @OptionGroup var device: DeviceOptions
  @OptionGroup var precision: PrecisionOptions
  @Option(help: "The base's name.") var base: String
  @Option(help: "JSONL, plain or gzip: rows with text, text and text_pair, tokens, or ids.")
  var data: String
  @Option(help: "Which states: all or last.") var layers = Layers.last
  @Option(help: "The file to write.") var out: String
  @Option(help: "Longest row in tokens; longer ones are cut.") var maxLength: Int?
  @Option(help: "What to do about n-grams that the table lacks: exact, fallback or off.")
  var plot = PLOTMode.exact
  @Option(
    help: """
      For tests: a JSON list of [left, centre, right], null where there is none. The table is taken to hold these n-grams and
      all unigrams, and nothing else; rows are computed in fp32.
      """)
  var known: String?

  func validate() throws { try InputRow.check(maxLength: maxLength) }

  func run() throws {
    let home = Home(option: global.home)
    let base = try BaseStore(home: home).load(base)
    let backend = try Device(device, precision: precision.precision)
      .lane(for: base.configuration)
    let model = try BaseModel(
      source: base.weights, configuration: base.configuration, backend: backend)
    let limit = base.configuration.maxPositions
    let upper = try UpperEncoder(base: model, backend: backend, tokenBudget: limit)
    let rows = try NGramRows(base, model, backend, mode: plot, known: known)

    var tensors: [SafetensorsTensor] = []
    try InputRow.forEach(in: data) { number, row in
      let encoding = try row.encoding(base, maxLength: maxLength)
      guard encoding.count <= limit else {
        throw InputError.tooLong(tokens: encoding.count, limit: limit, areIDs: row.ids != nil)
      }
      let batch = try PackedBatch(
        [(encoding.ids, encoding.typeIDs)], for: base.configuration)
      let found = try rows?.rows(of: batch)
      let last = base.configuration.upperLayers.count
      _ = try upper.states(
        of: batch, rows: found?.rows, sequences: try backend.place(batch.layout)
      ) { layer, x throws(ComputeError) in
        guard layers == .all || layer == last else { return }
        var values = [Float](repeating: 0, count: x.count)
        try unsafe values.withUnsafeMutableBufferPointer { values throws(ComputeError) in
          unsafe try backend.download(x, into: values)
        }
        let shape = [x.rows, x.columns]
        let name = layers == .all ? "\(number).\(layer)" : "\(number)"
        tensors.append(SafetensorsTensor(name: name, shape: shape, floats: values))
      }
      withExtendedLifetime(found) {}
    }
    try SafetensorsWriter.write(
      tensors, metadata: ["base": base.name, "content_hash": base.record.contentHash], to: out,
      isShared: true)
  }
}

/// The n-gram rows of a skip base as `dump` wants them.
private struct NGramRows {
  let lookup: NGramLookup
  let mode: PLOTMode
  let known: Set<NGram>?

  /// nil for a dense base.
  init?(
    _ base: Base, _ model: BaseModel, _ backend: any Backend, mode: PLOTMode, known: String?
  ) throws {
    guard base.configuration.isSkip else { return nil }
    self.mode = mode
    self.known = try known.map { path in
      let file = try MappedFile(path: path)
      let json = unsafe file.withBytes { unsafe Array($0) }
      let list: [[Int32?]]
      do { list = try decodeJSON([[Int32?]].self, from: json) } catch {
        throw ValidationError("\(path): \(words(error))")
      }
      return Set(
        try list.map { gram in
          guard gram.count == 3 else { throw ValidationError("\(path): an n-gram has three ids") }
          return NGram(gram[0] ?? NGram.none, gram[1] ?? NGram.none, gram[2] ?? NGram.none)
        })
    }
    lookup = NGramLookup(
      store: try base.openPLOT(
        cacheBytes: 0, type: .float32, tell: { ProgressLine.warn("\($0)") }),
      computer: try LocalEncoder(base: model, backend: backend))
  }

  func rows(of batch: PackedBatch) throws -> PLOTRows {
    guard let known, mode == .fallback else { return try lookup.rows(for: batch.grams, mode: mode) }
    return try lookup.rows(for: batch.grams, known: known)
  }
}
