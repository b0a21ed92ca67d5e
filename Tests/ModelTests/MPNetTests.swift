import Compute
import ComputeCPU
import Foundation
import TestSupport
import Testing

@testable import Model

/// MPNet held against transformers and tokenizers: goldens of Fixtures/make_mpnet.py.
@Suite struct MPNetTests {
  /// A checkpoint under its family's names, read by ours.
  struct Renamed: TensorSource {
    let file: SafetensorsFile
    let names: TensorNames

    func shape(_ name: String) throws -> [Int] { try file.shape(names.original(of: name)) }
    func floats(_ name: String) throws -> [Float] { try file.floats(names.original(of: name)) }
  }

  struct Line: Decodable {
    var text: String
    var pair: String?
    var max_length: Int?
    var ids: [Int32]
    var type_ids: [Int32]
    var offsets: [[Int32]]

    func equals(_ encoding: Encoding) -> Bool {
      encoding.ids == ids && encoding.typeIDs == type_ids
        && encoding.spans.map { [$0.start, $0.end] } == offsets
    }
  }

  static func lines(_ name: String) throws -> [Line] {
    try Data(Fixture.bytes(name)).jsonLines.map { try JSONDecoder().decode(Line.self, from: $0) }
  }

  static func file(_ name: String) throws -> SafetensorsFile {
    try SafetensorsFile(
      path: Resources.packageRoot.appending(path: "Tests/ModelTests/Fixtures/\(name)").path())
  }

  static func configuration() throws -> Configuration {
    try Configuration(json: Data(Fixture.bytes("mpnet.config.json")))
  }

  /// The fixture's sequences.
  private func sequences(_ states: SafetensorsFile) throws -> PackedBatch {
    try PackedBatch(
      (0..<5).map { i in
        let ids = try states.integers("ids.\(i)").map { Int32($0) }
        return (ids, [Int32](repeating: 0, count: ids.count))
      }, for: Self.configuration())
  }

  @Test func readsTheConfiguration() throws {
    let found = try Self.configuration()
    #expect(found.architecture == .mpnet && found.tokenTypes == 0)
    #expect(found.maxPositions == 200 && found.positionRows == 202)
    #expect(found.layerNormEpsilon == 1e-5 && found.hiddenSize == 16)
  }

  @Test func bucketsAreTheReferences() throws {
    let expected = try Self.file("mpnet.states.safetensors").integers("buckets")
    let bias = RelativeBias(buckets: 32, farthest: 128)
    #expect((-600...600).map { Int64(bias.bucket(of: $0)) } == expected)
    let table = (0..<64).map(Float.init)
    let spread = bias.spread(table, heads: 2, length: 40)
    #expect(spread.count == 2 * 79)
    #expect(spread[39] == table[0] && spread[79 + 39] == table[1])
    #expect(spread[38] == table[2 * bias.bucket(of: -1)])
  }

  @Test(arguments: InstructionSet.supported) func states(_ set: InstructionSet) throws {
    let configuration = try Self.configuration()
    let source = Renamed(
      file: try Self.file("mpnet.safetensors"), names: configuration.architecture.tensorNames)
    let runner = try GoldenRunner(source, configuration, instructionSet: set)
    let expected = try Self.file("mpnet.states.safetensors")
    let batch = try sequences(expected)
    let states = try runner.states(batch)
    #expect(states.count == 3)
    for i in 0..<batch.layout.count {
      let rows = batch.layout.rows(of: i)
      for (layer, state) in states.enumerated() {
        let found = state[rows.lowerBound * 16..<rows.upperBound * 16]
        #expect(largestDifference(found, try expected.floats("\(i).\(layer)")) < 2e-5)
      }
      // Alone as together.
      let ids = Array(batch.ids.values[rows])
      let alone = try runner.states(
        try PackedBatch([(ids, ids.map { _ in 0 })], for: Self.configuration()))
      #expect(alone[2] == Array(states[2][rows.lowerBound * 16..<rows.upperBound * 16]))
    }
  }

  /// An n-gram's row is what the layers make of its tokens alone, at positions 0 to 2: where a text is
  /// an n-gram, the states of the first layers.
  @Test func windowsHaveTheBiasToo() throws {
    var configuration = try Self.configuration()
    let source = Renamed(
      file: try Self.file("mpnet.safetensors"), names: configuration.architecture.tensorNames)
    let dense = try GoldenRunner(source, configuration)
    configuration.skipDepth = 1
    var skip = Checkpoint()
    for (name, shape) in configuration.tensors where !name.contains("embeddings2") {
      let isNew = ["norm.weight", "norm.bias", "attn.weight", "attn.bias"].contains(name)
      skip.tensors.set(
        name, shape: shape,
        isNew
          ? [Float](repeating: name == "attn.bias" ? 100 : 0, count: shape.reduce(1, *))
          : try source.floats(name))
    }
    let positions = "embeddings.position_embeddings2.weight"
    skip.tensors.set(positions, shape: [202, 16], [Float](repeating: 0, count: 202 * 16))
    let runner = try GoldenRunner(skip, configuration)
    for gram in [NGram(7, 0, 9), NGram(NGram.none, 5, 6), NGram(0, 8, NGram.none)] {
      let ids = [gram.left, gram.centre, gram.right]
      var row = [Float](repeating: .nan, count: 3 * 16)
      try unsafe row.withUnsafeMutableBufferPointer {
        unsafe try runner.local?.compute([gram], into: $0)
      }
      for (place, id) in ids.enumerated() where id == NGram.none {
        #expect(row[place * 16..<place * 16 + 16].allSatisfy { $0 == 0 })
      }
      guard !ids.contains(NGram.none) else { continue }
      let states = try dense.states(try PackedBatch([(ids, [0, 0, 0])], for: configuration))
      #expect(largestDifference(row, states[1]) < 1e-6)
    }
  }

  @Test func tokensAreTheReferences() throws {
    let lines = try Self.lines("mpnet.jsonl")
    #expect(lines.count == 22)
    let fromJSON = try WordPiece(
      tokenizerJSON: Fixture.bytes("mpnet.tokenizer.json"), special: .mpnet)
    let fromText = try WordPiece(vocabulary: Fixture.bytes("mpnet.vocab.txt"), special: .mpnet)
    for line in lines {
      #expect(
        line.equals(fromJSON.encode(line.text, pair: line.pair, maxLength: line.max_length)),
        "\(line)")
      // A vocabulary alone does not say that <unk> is found in texts.
      guard !line.text.lowercased().contains("<unk>") else { continue }
      #expect(
        line.equals(fromText.encode(line.text, pair: line.pair, maxLength: line.max_length)),
        "\(line)")
    }
    #expect(fromJSON.classification == 0 && fromJSON.separator == 2)
    #expect(fromJSON.encode(words: ["cats", "sat"]).words == [-1, 0, 0, 1, -1])
    #expect(throws: WordPieceError.self) {
      try WordPiece(tokenizerJSON: Fixture.bytes("mpnet.tokenizer.json"))
    }
    #expect(throws: WordPieceError.missing(token: "<s>")) {
      try WordPiece(vocabulary: Fixture.bytes("wordpiece.vocab.txt"), special: .mpnet)
    }
  }
}
