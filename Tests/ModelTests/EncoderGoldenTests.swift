import Compute
import ComputeCPU
import Foundation
import Model
import TestSupport
import Testing

/// The real base against an independent implementation in fp64.
@Suite(
  "Encoder against the goldens", .enabled(if: Shared.exists, "\(Shared.missing)"),
  .enabled(if: MiniLM.exists, "\(MiniLM.missing)"))
struct EncoderGoldenTests {
  private static func base() throws -> (SafetensorsFile, Configuration) {
    (
      try SafetensorsFile(path: MiniLM.directory.appending(path: "model.safetensors").path()),
      try Configuration(
        json: try Data(contentsOf: MiniLM.directory.appending(path: "config.json")))
    )
  }

  private static func golden(_ name: String) -> URL {
    Shared.directory.appending(path: "golden/\(name)")
  }

  /// All golden sentences as one batch.
  private static func sentences(_ model: Configuration) throws -> PackedBatch {
    struct Line: Decodable { var ids: [Int32] }
    return try PackedBatch(
      contents(of: golden("minilm_embed.jsonl")).jsonLines.map {
        let ids = try JSONDecoder().decode(Line.self, from: $0).ids
        return (ids, [Int32](repeating: 0, count: ids.count))
      }, for: model)
  }

  /// The mean state of each sequence, of length 1; hidden values each.
  private static func embeddings(_ states: [Float], _ layout: SequenceLayout) -> [[Float]] {
    let hidden = states.count / layout.rows
    return (0..<layout.count).map { i in
      var sum = [Float](repeating: 0, count: hidden)
      for row in layout.rows(of: i) {
        for c in 0..<hidden { sum[c] += states[row * hidden + c] }
      }
      let norm = sum.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return sum.map { $0 / norm }
    }
  }

  @Test func denseStatesAndEmbeddings() throws {
    let (weights, configuration) = try Self.base()
    let runner = try GoldenRunner(weights, configuration)
    let expected = try SafetensorsFile(path: Self.golden("minilm_embed.safetensors").path())
    let batch = try Self.sentences(configuration)
    let states = try runner.states(batch)
    let hidden = configuration.hiddenSize

    for i in 0..<6 {
      let rows = batch.layout.rows(of: i)
      for (j, state) in states.enumerated() {
        let found = state[rows.lowerBound * hidden..<rows.upperBound * hidden]
        #expect(largestDifference(found, try expected.floats("hidden.\(i).\(j)")) < 2e-5)
      }
    }
    let embeddings = try expected.floats("embeddings")
    for (i, found) in Self.embeddings(states[6], batch.layout).enumerated() {
      #expect(largestDifference(found, embeddings[i * hidden..<(i + 1) * hidden]) < 1e-5)
    }
  }

  /// The bounds that bf16 and int8 are held to: no sentence's embedding turns by more than this.
  @Test(
    arguments: InstructionSet.supported,
    [(Precision.bf16, 0.9999, 0.99995), (.int8, 0.995, 0.999)] as [(Precision, Float, Float)])
  func embeddingsInFewerBits(
    _ set: InstructionSet, _ bound: (precision: Precision, worst: Float, mean: Float)
  ) throws {
    let (weights, configuration) = try Self.base()
    let runner = try GoldenRunner(
      weights, configuration, precision: bound.precision, instructionSet: set)
    let expected = try SafetensorsFile(path: Self.golden("minilm_embed.safetensors").path())
      .floats("embeddings")
    let batch = try Self.sentences(configuration)
    let hidden = configuration.hiddenSize
    let found = Self.embeddings(try #require(try runner.states(batch).last), batch.layout)
    let cosines = found.indices.map { (i: Int) -> Float in
      zip(found[i], expected[i * hidden..<(i + 1) * hidden]).reduce(Float(0)) {
        $0 + $1.0 * $1.1
      }
    }
    let mean = cosines.reduce(0, +) / Float(cosines.count)
    print(
      "\(bound.precision), \(set.rawValue): cosine to fp64 \(cosines.min() ?? 0) at worst, "
        + "mean \(mean)")
    #expect(cosines.allSatisfy { $0 >= bound.worst })
    #expect(mean >= bound.mean)
  }

  @Test(arguments: [2, 3]) func skipModel(k: Int) throws {
    struct File: Decodable {
      struct Case: Decodable {
        var index: Int
        var ids: [Int32]
        var type_ids: [Int32]
        var grams: [[Int32]]?
      }
      var cases: [Case]
      var table_ngrams: [[Int32]]
    }
    var (weights, configuration) = try Self.base()
    configuration.skipDepth = k
    let extras = try SafetensorsFile(
      path: Self.golden("skip_minilm_k\(k).extras.safetensors").path())
    var checkpoint = Checkpoint()
    try checkpoint.add(weights)
    try checkpoint.add(extras) { Checkpoint.skipNames[$0] }
    try checkpoint.addLocalPositions(extras, positions: configuration.maxPositions)
    let runner = try GoldenRunner(checkpoint, configuration)
    let expected = try SafetensorsFile(
      path: Self.golden("skip_minilm_k\(k).expected.safetensors").path())
    let file = try JSONDecoder().decode(
      File.self, from: try Data(contentsOf: Self.golden("skip_minilm_k\(k).cases.json")))

    for item in file.cases {
      let batch = try PackedBatch([(item.ids, item.type_ids)], for: configuration)
      let grams = item.grams?.map { NGram(golden: $0) }
      let states = try runner.states(batch, grams: grams)
      let final = try expected.floats("final.\(item.index)")
      #expect(largestDifference(states[states.count - 1], final) < 2e-5, "case \(item.index)")
    }
    let local = try #require(runner.local)
    let table = try expected.floats("table")
    var rows = [Float](repeating: .nan, count: table.count)
    try unsafe rows.withUnsafeMutableBufferPointer {
      unsafe try local.compute(file.table_ngrams.map { NGram(golden: $0) }, into: $0)
    }
    #expect(largestDifference(rows, table) < 1e-5)
  }
}
