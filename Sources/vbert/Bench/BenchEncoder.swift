import ArgumentParser
import Compute
import Files
import Foundation
import Manager
import Model

/// `vbert bench encoder`: the encoder in this process, in turns with a peer.
struct BenchEncoder: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "encoder",
    abstract: "Encode texts whenever a line comes on stdin, so that a peer can be timed in turns.",
    discussion: """
      --ids names a JSON file {"batches": [[[id, ...], ...], ...], "single": [id, ...]}. Commands,
      one a line, each answered by one line of JSON:
        batches    every batch once: {"seconds", "tokens"}
        single N   the one text N times: {"milliseconds": [...]}
        embeddings every text's pooled, normalised embedding: {"embeddings": [[...], ...]}
      """)

  @OptionGroup var global: GlobalOptions
  @OptionGroup var device: DeviceOptions
  @OptionGroup var precision: PrecisionOptions
  @Option(help: "The base's name.") var base: String
  @Option(help: "JSON file: batches of token ids, and a single text.") var ids: String
  @Option(help: "Different vBERTs that the texts go to in turn; 0: the base alone.") var vberts = 0
  @Option(help: "Their adapters.") var adapter = "bottleneck:64"
  @Option(
    help: "How states become a text's: mean or cls.", transform: { try Pooling(parsing: $0) })
  var pooling: Pooling = .mean
  @Option(help: "Compute threads of a CPU.") var threads = ProcessInfo.processInfo
    .activeProcessorCount

  private struct Answer: Encodable {
    var ready: String?
    var seconds: Double?
    var tokens: Int?
    var milliseconds: [Double]?
    var embeddings: [[Float]]?
  }

  func run() throws {
    let base = try BaseStore(home: Home(option: global.home)).load(base)
    let file = try MappedFile(path: ids)
    let texts: EncoderBench.Texts
    do {
      texts = try decodeJSON(
        EncoderBench.Texts.self, from: unsafe file.withBytes { unsafe Array($0) })
    } catch { throw ValidationError("\(ids): \(words(error))") }
    let bench = try EncoderBench(
      base: base, texts: texts,
      backend: try Device(device, precision: precision.precision)
        .lane(threads: threads, for: base.configuration),
      adapters: vberts, spec: try AdapterSpec(parsing: adapter), pooling: pooling)
    try bench.encodeAll()
    try answer(Answer(ready: bench.backend.name))
    while let line = readLine() {
      let words = line.split(separator: " ")
      switch words.first {
      case "batches":
        try answer(Answer(seconds: try bench.encodeAll(), tokens: bench.tokens))
      case "single":
        guard let repeats = words.last.flatMap({ Int($0) }), repeats > 0 else {
          throw ValidationError("single N")
        }
        try answer(Answer(milliseconds: try bench.encodeSingle(repeats: repeats).map { $0 * 1e3 }))
      case "embeddings": try answer(Answer(embeddings: try bench.embeddings()))
      default: throw ValidationError("commands: batches, single N, embeddings")
      }
    }
  }

  private func answer(_ answer: Answer) throws {
    FileHandle.standardOutput.write(try JSONEncoder().encode(answer) + Data("\n".utf8))
  }
}
