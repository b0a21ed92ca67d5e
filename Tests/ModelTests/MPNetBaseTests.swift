import Compute
import Foundation
import TestSupport
import Testing

@testable import Model

/// The real all-mpnet-base-v2 against transformers: `make test-large`.
@Suite("all-mpnet-base-v2", .enabled(if: MPNetBase.exists, "\(MPNetBase.missing)"))
struct MPNetBaseTests {
  private func tokenizer() throws -> WordPiece {
    try WordPiece(
      tokenizerJSON: [UInt8](MPNetBase.bytes("tokenizer.json")),
      vocabulary: nil, configuration: nil, special: .mpnet)
  }

  @Test func tokensAreTheReferences() throws {
    let tokenizer = try tokenizer()
    #expect(tokenizer.vocabularySize == 30527)
    for line in try MPNetTests.lines("mpnet-base.jsonl") {
      #expect(
        line.equals(tokenizer.encode(line.text, pair: line.pair, maxLength: line.max_length)),
        "\(line)")
    }
  }

  @Test func statesAndEmbeddings() throws {
    let configuration = try Configuration(json: MPNetBase.bytes("config.json"))
    let source = MPNetTests.Renamed(
      file: try SafetensorsFile(path: MPNetBase.url("model.safetensors").path()),
      names: configuration.architecture.tensorNames)
    let runner = try GoldenRunner(source, configuration)
    let tokenizer = try tokenizer()
    let lines = try MPNetTests.lines("mpnet-base.jsonl").filter { $0.max_length == nil }.prefix(3)
    let batch = PackedBatch(
      sequences: try lines.map {
        try TokenSequence(tokenizer.encode($0.text), for: configuration)
      })
    let states = try runner.states(batch)
    let expected = try MPNetTests.file("mpnet-base.states.safetensors")
    var worst: Float = 0
    for name in expected.names {
      let parts = name.split(separator: ".").compactMap { Int($0) }
      let rows = batch.layout.rows(of: parts[0])
      let found = states[parts[1]][rows.lowerBound * 768..<rows.upperBound * 768]
      let values = try expected.floats(name)
      worst = max(worst, largestDifference(found, values))
      guard parts[1] == 12 else { continue }
      let cosine = Self.cosine(Self.mean(Array(found)), Self.mean(values))
      #expect(cosine > 0.99999, "\(name): \(cosine)")
    }
    #expect(worst < 2e-5, "\(worst)")
  }

  private static func mean(_ states: [Float]) -> [Float] {
    (0..<768).map { c in
      stride(from: c, to: states.count, by: 768).reduce(0) { $0 + states[$1] }
    }
  }

  private static func cosine(_ a: [Float], _ b: [Float]) -> Double {
    func dot(_ a: [Float], _ b: [Float]) -> Double {
      zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }
    return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
  }
}
