import Foundation
import Model
import Testing

@Suite struct ArchitectureTests {
  private let bert: [String: Any] = [
    "vocab_size": 8, "hidden_size": 4, "num_hidden_layers": 2, "num_attention_heads": 2,
    "intermediate_size": 6, "max_position_embeddings": 6,
  ]

  private func read(_ more: [String: Any], without: [String] = []) throws -> Configuration {
    var fields = bert.merging(more) { $1 }
    for name in without { fields[name] = nil }
    return try Configuration(json: try JSONSerialization.data(withJSONObject: fields))
  }

  private func refusal(_ more: [String: Any]) -> ConfigurationError? {
    #expect(throws: ConfigurationError.self) { try read(more) }
  }

  @Test func isWhatTheFileSays() throws {
    for type in ["bert", "skipbert"] {
      #expect(try read(["model_type": type]).architecture == .bert)
    }
    #expect(try read(["model_type": "mpnet"]).architecture == .mpnet)
    for (writer, expected) in [
      ("BertModel", Architecture.bert), ("BertForMaskedLM", .bert), ("SkipBertModel", .bert),
      ("MPNetForMaskedLM", .mpnet),
    ] {
      #expect(try read(["architectures": [writer]]).architecture == expected)
    }
  }

  @Test func unknownOnesAreRefusedByName() {
    let supported = "bert, mpnet, distilbert"
    for type in ["roberta", "xlm-roberta", "modernbert", "BERT", ""] {
      #expect(
        refusal(["model_type": type])
          == .unsupported(field: "model_type", value: type, supported: supported))
    }
    for writer in ["RobertaForMaskedLM", "XLMRobertaModel", "AlbertModel", "bert"] {
      #expect(
        refusal(["architectures": [writer]])
          == .unsupported(field: "architectures", value: writer, supported: supported))
    }
    #expect(refusal([:]) == .missing(field: "model_type"))
    #expect(refusal(["architectures": [String]()]) == .missing(field: "model_type"))
    #expect(refusal(["model_type": 3]) != nil)
    #expect(refusal(["model_type": "roberta", "architectures": ["BertModel"]]) != nil)
  }

  @Test func positionsBehindThePadding() throws {
    let found = try read(["model_type": "mpnet", "layer_norm_eps": 1e-5])
    #expect(found.maxPositions == 4 && found.positionRows == 6 && found.tokenTypes == 0)
    #expect(
      refusal(["model_type": "mpnet", "max_position_embeddings": 2])
        == .outOfRange(field: "max_position_embeddings", value: 2, range: 5...65536))
    #expect(refusal(["model_type": "mpnet", "relative_attention_num_buckets": 0]) != nil)
    let names = found.tensors.map(\.name)
    #expect(!names.contains { $0.contains("token_type") })
    #expect(names.contains("encoder.relative_attention_bias.weight"))
  }

  @Test func distilBERTsNames() throws {
    let found = try read(
      [
        "model_type": "distilbert", "dim": 4, "n_layers": 2, "n_heads": 2, "hidden_dim": 6,
        "activation": "gelu",
      ],
      without: ["hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size"])
    #expect(found.hiddenSize == 4 && found.layerCount == 2 && found.intermediateSize == 6)
    #expect(found.architecture == .distilBert && found.tokenTypes == 0)
    let names = found.architecture.tensorNames
    for (ours, theirs) in [
      ("encoder.layer.1.attention.self.query.weight", "transformer.layer.1.attention.q_lin.weight"),
      ("encoder.layer.1.attention.output.dense.bias", "transformer.layer.1.attention.out_lin.bias"),
      ("encoder.layer.0.attention.output.LayerNorm.bias", "transformer.layer.0.sa_layer_norm.bias"),
      ("encoder.layer.0.intermediate.dense.bias", "transformer.layer.0.ffn.lin1.bias"),
      ("encoder.layer.0.output.dense.bias", "transformer.layer.0.ffn.lin2.bias"),
      ("encoder.layer.0.output.LayerNorm.bias", "transformer.layer.0.output_layer_norm.bias"),
      ("embeddings.LayerNorm.bias", "embeddings.LayerNorm.bias"),
    ] {
      #expect(names.original(of: ours) == theirs)
    }
    #expect(
      refusal(["model_type": "distilbert"]) == .missing(field: "hidden_dim"),
      "BERT's sizes are not its")
  }
}
