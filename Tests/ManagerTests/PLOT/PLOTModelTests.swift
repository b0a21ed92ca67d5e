import Compute
import ComputeCPU
import Foundation
import Model
import TestSupport
import Testing

@testable import Manager

/// The table with real local layers on the CPU, of a small model with made-up weights.
struct PLOTModelTests {
  let model: BaseModel
  let backend: CPUBackend
  let local: LocalEncoder
  let grams: [NGram]

  init() throws {
    let configuration = Configuration(
      vocabularySize: 50, hiddenSize: 32, layerCount: 4, headCount: 4, intermediateSize: 64,
      maxPositions: 64, skipDepth: 2)
    var generator = SeededGenerator(seed: 50)
    var tensors = MemoryTensors()
    for (name, shape) in configuration.tensors {
      let values = (0..<shape.reduce(1, *)).map { _ in
        Float.random(in: -0.3...0.3, using: &generator)
      }
      tensors.set(name, shape: shape, values)
    }
    backend = try CPUBackend(threads: 2)
    model = try BaseModel(source: tensors, configuration: configuration, backend: backend)
    local = try LocalEncoder(base: model, backend: backend)
    grams = SmallPLOT.grams(300, seed: 51, vocabulary: 50)
  }

  private func bytes(_ rows: PLOTRows, _ format: PLOTRowFormat) -> [[UInt8]] {
    rows.rows.map { row in
      unsafe [UInt8](
        UnsafeRawBufferPointer(
          start: UnsafeRawPointer(bitPattern: row.address), count: format.stride))
    }
  }

  /// A rounded row is the same to the bit, in whatever company it was computed: otherwise an answer
  /// would depend on the batch that happened to compute it.
  @Test(arguments: PLOTRowType.allCases)
  func aloneEqualsTogetherToTheBit(type: PLOTRowType) throws {
    let store = try PLOTStore(
      directory: nil, baseHash: "", hidden: 32, skipDepth: 2, cacheBytes: 0, type: type)
    let lookup = NGramLookup(store: store, computer: local, chunk: 64)
    let together = try lookup.rows(for: grams, mode: .exact)
    let expected = bytes(together, store.format)
    for (i, gram) in grams.enumerated() {
      let alone = try lookup.rows(for: [gram], mode: .exact)
      #expect(bytes(alone, store.format) == [expected[i]])
      withExtendedLifetime(alone) {}
    }
    withExtendedLifetime(together) {}
  }

  @Test func roundingCostsWhatTheFormatSays() throws {
    let upper = try UpperEncoder(base: model, backend: backend, tokenBudget: 64)
    var generator = SeededGenerator(seed: 52)
    let batches = try (0..<5).map { _ in
      let ids = (0..<20).map { _ in Int32.random(in: 1..<50, using: &generator) }
      return try PackedBatch(
        [(ids, [Int32](repeating: 0, count: ids.count))], for: model.configuration)
    }
    let cost = try PLOTRowType.allCases.map {
      try PLOTRounding(type: $0, batches: batches, computer: local, encoder: upper)
    }
    #expect(cost[0].entering.largest == 0 && cost[0].embeddings.largest == 0)
    #expect(cost[1].entering.largest > 0 && cost[2].entering.largest > 4 * cost[1].entering.largest)
    #expect(cost[1].final.leastCosine > 0.99999 && cost[2].final.leastCosine > 0.999)
    #expect(cost[2].embeddings.meanCosine < cost[1].embeddings.meanCosine)
  }
}
