package import Compute
internal import ComputeCPU
package import Foundation
internal import Manager
package import Model
package import Scheduler
internal import TestSupport

/// A base of random weights, small enough that a test computes hundreds of sequences with it.
package enum TinyModel {
  package static let configuration = Configuration(
    vocabularySize: words.count, hiddenSize: 32, layerCount: 4, headCount: 4,
    intermediateSize: 64, maxPositions: 64, skipDepth: 2)

  /// The vocabulary: special tokens, then words that a test can write texts with.
  package static let words: [String] =
    ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", ".", ",", "##s", "##ing", "##ed"]
    + "a the cat dog sat on mat london paris ann bob went to in big small red blue run walk good bad"
    .split(separator: " ").map(String.init)

  package static func tokenizer() throws -> WordPiece {
    try WordPiece(vocabulary: Array(words.joined(separator: "\n").utf8))
  }

  /// Weights as a checkpoint names them; the same for the same seed.
  package static func weights(
    _ configuration: Configuration = configuration, seed: UInt64 = 1
  ) -> MemoryTensors {
    var random = SeededGenerator(seed: seed)
    var tensors = MemoryTensors()
    func add(_ name: String, _ shape: [Int], mean: Float = 0, spread: Float = 0.2) {
      tensors.set(
        name, shape: shape,
        (0..<shape.reduce(1, *)).map { _ in mean + .random(in: -spread...spread, using: &random) })
    }
    let (hidden, wide) = (configuration.hiddenSize, configuration.intermediateSize)
    func norm(_ name: String) {
      add("\(name).weight", [hidden], mean: 1)
      add("\(name).bias", [hidden])
    }
    func linear(_ name: String, _ outputs: Int, _ inputs: Int) {
      add("\(name).weight", [outputs, inputs])
      add("\(name).bias", [outputs])
    }
    add("embeddings.word_embeddings.weight", [configuration.vocabularySize, hidden], spread: 1)
    norm("embeddings.LayerNorm")
    for two in configuration.isSkip ? ["", "2"] : [""] {
      add("embeddings.position_embeddings\(two).weight", [configuration.maxPositions, hidden])
      add("embeddings.token_type_embeddings\(two).weight", [configuration.tokenTypes, hidden])
    }
    if configuration.isSkip {
      norm("norm")
      add("attn.weight", [1, hidden])
      add("attn.bias", [1])
    }
    for layer in 0..<configuration.layerCount {
      let name = "encoder.layer.\(layer)"
      for part in ["query", "key", "value"] {
        linear("\(name).attention.self.\(part)", hidden, hidden)
      }
      linear("\(name).attention.output.dense", hidden, hidden)
      norm("\(name).attention.output.LayerNorm")
      linear("\(name).intermediate.dense", wide, hidden)
      linear("\(name).output.dense", hidden, wide)
      norm("\(name).output.LayerNorm")
    }
    return tensors
  }

  package static func lane() throws -> any Backend { try CPUBackend(threads: 1) }

  /// A text of these tokens.
  package static func tokens(_ ids: [Int32]) throws -> TokenSequence {
    try TokenSequence(ids: ids, types: ids.map { _ in 0 }, for: configuration)
  }

  /// A base of these weights in service, with the tables of a directory, if any, on CPU lanes of one thread.
  package static func served(
    named name: String = "tiny", _ configuration: Configuration = configuration, seed: UInt64 = 1,
    cacheBytes: Int = 8 << 20, tables: URL? = nil, lanes: Int = 1
  ) throws -> ServedBase {
    var plot: PLOTStore?
    if configuration.isSkip {
      plot = try PLOTStore(
        directory: tables, baseHash: name, hidden: configuration.hiddenSize,
        skipDepth: configuration.skipDepth, cacheBytes: cacheBytes)
    }
    let engines = try (0..<lanes).map { _ in
      let lane = try CPUBackend(threads: 1)
      let model = try BaseModel(
        source: weights(configuration, seed: seed), configuration: configuration, backend: lane)
      let lookup = try plot.map {
        NGramLookup(store: $0, computer: try LocalEncoder(base: model, backend: lane, chunk: 64))
      }
      return Engine(model: model, lookup: lookup)
    }
    return ServedBase(
      name: name, contentHash: name, tokenizer: try tokenizer(), plot: plot, engines: engines)
  }

  /// Random parameters of that shape.
  package static func adapter(
    _ spec: VBertSpec, _ configuration: Configuration = configuration, seed: UInt64
  ) throws -> HostAdapter {
    var random = SeededGenerator(seed: seed)
    var tensors = MemoryTensors()
    for (name, shape) in AdapterFile.layout(spec, base: configuration) {
      tensors.set(
        name, shape: shape,
        (0..<shape.reduce(1, *)).map { _ in .random(in: -0.4...0.4, using: &random) })
    }
    return try AdapterFile.adapter(spec, base: configuration, from: tensors)
  }

  package static func spec(
    _ task: VBertTask, _ adapter: AdapterSpec, labels: [String] = [], base: String = "tiny",
    pooling: Pooling = .mean
  ) -> VBertSpec {
    VBertSpec(
      task: task, base: base, baseHash: base, adapter: adapter, pooling: pooling, labels: labels,
      maxLength: 64)
  }
}
