import Foundation
import Testing

@testable import Model

/// config.json: each field in range, and refused by its name out of it.
@Suite struct ConfigurationTests {
  private let fields: [String: String] = [
    "model_type": "\"bert\"", "hidden_act": "\"gelu\"", "vocab_size": "100", "hidden_size": "12",
    "num_hidden_layers": "3", "num_attention_heads": "4", "intermediate_size": "20",
    "max_position_embeddings": "16", "type_vocab_size": "2", "layer_norm_eps": "1e-12",
  ]

  private func read(_ changes: [String: String?]) throws -> Configuration {
    var all = fields
    for (key, value) in changes { all[key] = value }
    let text = all.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
    return try Configuration(json: Data("{\(text)}".utf8))
  }

  @Test func theWholeIsRead() throws {
    #expect(
      try read([:])
        == Configuration(
          vocabularySize: 100, hiddenSize: 12, layerCount: 3, headCount: 4, intermediateSize: 20,
          maxPositions: 16))
    #expect(try read(["layer_norm_eps": nil]).layerNormEpsilon == 1e-12)
    #expect(try read(["num_full_hidden_layers": "1"]).skipDepth == 2)
  }

  @Test(arguments: ["1e-12", "1e-5", "0.1", "1e-6", "1e-30"])
  func epsilonsThatModelsHave(value: String) throws {
    #expect(try read(["layer_norm_eps": value]).layerNormEpsilon == Float(value))
  }

  @Test(arguments: [
    "-1", "0", "-0.0", "1e9", "0.11", "1", "1e-31", "1e-40", "1e-300", "-1e-12", "3e38", "1e308",
    "1e999", "NaN", "Infinity", "\"1e-12\"", "true", "[]", "{}",
  ])
  func epsilonsThatAreNone(value: String) {
    let error = #expect(throws: ConfigurationError.self) { try read(["layer_norm_eps": value]) }
    let text = error?.description ?? ""
    #expect(text.contains("layer_norm_eps") || text.contains("not valid JSON"), "\(text)")
  }

  @Test(arguments: [
    ("vocab_size", 1, 1 << 24), ("hidden_size", 4, 1 << 14), ("num_hidden_layers", 1, 256),
    ("num_attention_heads", 1, 12), ("intermediate_size", 1, 1 << 16),
    ("max_position_embeddings", 3, 1 << 16), ("type_vocab_size", 1, 1 << 10),
    ("num_full_hidden_layers", 1, 3),
  ])
  func sizes(field: String, least: Int, most: Int) throws {
    for value in [least, most] { _ = try read([field: "\(value)"]) }
    for value in [
      "0", "-1", "\(least - 1)", "\(most + 1)", "\(Int.max)", "\(Int.min)", "9223372036854775808",
      "1e30", "1.5", "\"8\"", "true", "[8]",
    ] {
      let error = #expect(throws: ConfigurationError.self, "\(field) \(value)") {
        try read([field: value])
      }
      #expect(error?.description.contains(field) == true, "\(value): \(error?.description ?? "")")
    }
  }

  @Test func headsDivideTheWidth() {
    for heads in [5, 7, 8, 9, 10, 11] {
      #expect(
        throws: ConfigurationError.indivisible(
          field: "num_attention_heads", value: heads, width: "hidden_size", by: 12)
      ) { try read(["num_attention_heads": "\(heads)"]) }
    }
  }

  /// MPNet counts two positions that no sequence uses.
  @Test func positionsOfMPNet() throws {
    let mpnet: [String: String?] = ["model_type": "\"mpnet\"", "max_position_embeddings": "5"]
    #expect(try read(mpnet).maxPositions == 3)
    #expect(throws: ConfigurationError.self) {
      try read(mpnet.merging(["max_position_embeddings": "4"]) { $1 })
    }
    for value in ["3", "-32", "1025"] {
      #expect(throws: ConfigurationError.self) {
        try read(mpnet.merging(["relative_attention_num_buckets": value]) { $1 })
      }
    }
  }

  @Test func whatIsNoObject() {
    for text in ["", "[", "null", "[]", "\"bert\"", "{\"model_type\":", "\u{0}"] {
      #expect(throws: ConfigurationError.self, "\(text)") {
        try Configuration(json: Data(text.utf8))
      }
    }
  }
}
