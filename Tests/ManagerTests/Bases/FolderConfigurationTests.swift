import Files
import Foundation
import Model
import Testing

@testable import Manager

/// config.json's members beside the sizes, and weights under other names.
@Suite struct FolderConfigurationTests {
  /// A JSON value that a member gets in the tiny model's config.json.
  private func refusal(_ field: String, _ json: String) throws -> String {
    var trial = FolderTrial()
    trial.model.fields[field] = try JSONSerialization.jsonObject(
      with: Data(json.utf8), options: .fragmentsAllowed)
    return try trial.refusal()
  }

  @Test(arguments: [
    ("is_decoder", "true", "is_decoder is true"),
    ("is_encoder_decoder", "true", "is_encoder_decoder is true"),
    ("add_cross_attention", "true", "add_cross_attention is true"),
    ("is_decoder", "\"yes\"", "is_decoder is not true or false"),
    ("position_embedding_type", "\"relative_key\"", "position_embedding_type is \"relative_key\""),
    ("position_embedding_type", "\"relative_key_query\"", "relative_key_query"),
    ("hidden_act", "\"gelu_new\"", "hidden_act is \"gelu_new\""),
    ("hidden_act", "\"relu\"", "relu"),
    ("hidden_act", "\"gelu_pytorch_tanh\"", "gelu_pytorch_tanh"),
    ("hidden_act", "\"silu\"", "silu"),
    ("hidden_act", "[\"gelu\"]", "hidden_act is not text"),
    ("auto_map", "{\"AutoModel\": \"x.Y\"}", "auto_map is {\"AutoModel\"}: the model brings code"),
    ("quantization_config", "{\"bits\": 4}", "quantization_config is {\"bits\"}"),
    ("pruned_heads", "{\"0\": [1]}", "pruned_heads is {\"0\"}"),
    ("peft_type", "\"LORA\"", "peft_type is \"LORA\""),
    (
      "adapters", "{\"adapters\": {\"a\": \"x\"}, \"config_map\": {}}",
      "adapters.adapters is {\"a\"}"
    ),
    ("adapters", "{\"adapters\": {}, \"fusions\": {\"f\": 1}}", "adapters.fusions is {\"f\"}"),
    (
      "architectures", "[\"RobertaModel\"]",
      "architectures is \"RobertaModel\": but model_type says bert"
    ),
    ("architectures", "[\"BertModel\", \"MPNetModel\"]", "architectures is \"MPNetModel\""),
    ("architectures", "[\"BertGenerationEncoder\"]", "BertGenerationEncoder"),
    ("architectures", "[\"MyBert\"]", "architectures is \"MyBert\""),
    ("architectures", "\"BertModel\"", "architectures is not a list of names"),
    ("model_type", "\"roberta\"", "model_type is \"roberta\""),
    ("model_type", "\"xlm-roberta\"", "model_type is \"xlm-roberta\""),
    ("model_type", "3", "model_type is not text"),
    ("vocab_size", "\"14\"", "vocab_size is not a whole number"),
    ("vocab_size", "14.5", "vocab_size is not a whole number"),
  ])
  func membersThatAreRefused(field: String, json: String, said: String) throws {
    let text = try refusal(field, json)
    #expect(text.contains("config.json: ") && text.contains(said), "\(text)")
  }

  @Test func membersThatChangeNothing() throws {
    var trial = FolderTrial()
    let json = """
      {"is_decoder": false, "add_cross_attention": false, "use_cache": true, "pruned_heads": {},
       "chunk_size_feed_forward": 64, "torch_dtype": "float16", "dtype": "bfloat16", "hidden_act": "gelu_python",
       "tie_word_embeddings": true, "architectures": ["BertForSequenceClassification"], "auto_map": null,
       "id2label": {"0": "a"}, "problem_type": null, "attention_probs_dropout_prob": 0.1, "pad_token_id": 0,
       "quantization_config": null, "adapters": {"adapters": {}, "config_map": {}, "fusions": {}},
       "gradient_checkpointing": false, "classifier_dropout": null, "vocab_size": 14.0}
      """
    let more = try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [String: Any]
    trial.model.fields.merge(try #require(more)) { $1 }
    #expect(try trial.load().configuration == trial.model.configuration)
  }

  @Test func whatIsNoConfigurationIsToldByFileAndPlace() throws {
    for (json, said) in [
      ("", "config.json cannot be read: it is not valid JSON: it is empty"),
      (
        "{\n \"model_type\": \"bert\",\n \"vocab_size\": 14,\n}",
        "expected '\"' at line 4, column 1"
      ),
      ("{\"vocab_size\": NaN}", "expected a value at column 16"), ("[]", "it is not a JSON object"),
      (
        "{\"model_type\": \"bert\",\n\"model_type\": \"mpnet\"}",
        "\"model_type\" is there twice in one object (again at line 2, column 1)"
      ),
    ] {
      let text = try FolderTrial(["config.json": json]).refusal()
      #expect(text.contains("config.json") && text.contains(said), "\(text)")
    }
  }

  /// As the reference implementation, whose DistilBERT has 1e-12 whatever config.json says.
  @Test func distilBERTsOwnNamesAndEpsilon() throws {
    func read(_ more: String) throws -> Configuration {
      try Configuration(
        json: Data(
          """
          {"model_type": "distilbert", "vocab_size": 8, "hidden_dim": 6, "max_position_embeddings": 6,
           "activation": "gelu", \(more)}
          """.utf8))
    }
    let own = try read("\"dim\": 4, \"n_layers\": 2, \"n_heads\": 2, \"layer_norm_eps\": 1e-5")
    #expect(own.layerNormEpsilon == 1e-12 && own.hiddenSize == 4)
    let alias = try read("\"hidden_size\": 4, \"num_hidden_layers\": 2, \"num_attention_heads\": 2")
    #expect(alias == own)
    let error = #expect(throws: ConfigurationError.self) {
      try read("\"dim\": 4, \"hidden_size\": 8, \"n_layers\": 2, \"n_heads\": 2")
    }
    #expect(error?.description == "config.json: hidden_size is 8: dim says 4; remove the wrong one")
  }

  @Test(arguments: [
    "bert.", "module.", "model.", "module.bert.", "_orig_mod.", "_orig_mod.bert.", "0.auto_model.",
    "encoder.",
    "base_model.", "backbone.", "model.bert.", "",
  ])
  func knownPrefixesAreTakenOff(prefix: String) throws {
    var trial = FolderTrial()
    let plain = try trial.load().record.contentHash
    trial.model.rename = { prefix + $0 }
    #expect(try trial.load().record.contentHash == plain)
  }

  @Test func otherNamesAreToldAsTheyStand() throws {
    var trial = FolderTrial()
    for (prefix, said) in [
      ("roberta.", "named \"roberta.embeddings...\""),
      ("query_encoder.bert.", "named \"query_encoder.bert.embeddings...\""),
      ("mpnet.", "named \"mpnet.embeddings...\""),
    ] {
      trial.model.rename = { prefix + $0 }
      let text = try trial.refusal()
      #expect(
        text.contains("model.safetensors is not a usable model: ") && text.contains(said), "\(text)"
      )
      #expect(text.contains("saved from a wrapper"))
    }
    trial.model.rename = { "x" + $0.replacing("embeddings.word", with: "embeddings.wort") }
    #expect(try trial.refusal().contains("no tensor is named embeddings.word_embeddings.weight"))
    trial.model.rename = { "module." + ($0.contains("layer.1.output.dense.bias") ? "x" : $0) }
    #expect(try trial.refusal().contains("\"module.encoder.layer.1.output.dense.bias\""))
  }

  /// Tensors beside the model's own, in the same file.
  private func refusal(withTensors names: [String]) throws -> String? {
    let trial = FolderTrial()
    try trial.write()
    let path = trial.source.appending(path: "model.safetensors").filePath
    let file = try SafetensorsFile(path: path)
    var tensors = try file.names.map { name in
      let shape = try file.shape(name)
      return name.hasSuffix("position_ids")
        ? SafetensorsTensor(name: name, shape: shape, integers: [0, 1])
        : SafetensorsTensor(name: name, shape: shape, floats: try file.floats(name))
    }
    for name in names { tensors.append(SafetensorsTensor(name: name, shape: [1], floats: [1])) }
    try SafetensorsWriter.write(tensors, to: path)
    do { _ = try trial.store.importBase(from: trial.source.filePath, name: "b") } catch {
      return "\(error)"
    }
    return nil
  }

  @Test func whatWouldNotBeUsedIsNamed() throws {
    for name in [
      "encoder.layer.0.attention.self.query.lora_A.weight",
      "encoder.layer.1.output.adapters.a.weight",
      "encoder.relative_attention_bias.weight",
      "encoder.layer.0.attention.self.distance_embedding.weight",
      "embeddings.project.weight", "encoder.layer.0.crossattention.self.query.weight",
    ] {
      let text = try #require(try refusal(withTensors: [name]), "\(name)")
      #expect(text.contains("tensor \"\(name)\" lies inside the encoder"), "\(text)")
    }
    let two = try #require(try refusal(withTensors: ["bert.embeddings.word_embeddings.weight"]))
    #expect(
      two.contains("several encoders, named \"bert.embeddings...\", \"embeddings...\""), "\(two)")
    // Heads and poolers, layers beyond those that count, and buffers stay behind, as with the reference.
    #expect(
      try refusal(withTensors: [
        "cls.predictions.bias", "pooler.dense.weight", "encoder.layer.2.output.dense.bias",
        "classifier.weight", "embeddings.token_type_ids",
      ]) == nil)
  }

  @Test func otherWeightsAreNamedWithWhatToDo() throws {
    for (file, said) in [
      ("pytorch_model.bin", "pytorch_model.bin, a pickle"),
      ("pytorch_model.bin.index.json", "a pickle"),
      ("model.safetensors.index.json", "max_shard_size"), ("tf_model.h5", "TensorFlow"),
      ("flax_model.msgpack", "Flax"), ("onnx/model.onnx", "ONNX"),
      ("adapter_config.json", "adapter_config.json: an adapter"),
    ] {
      var trial = FolderTrial([file: "{}"])
      trial.without = ["model.safetensors"]
      let text = try trial.refusal()
      #expect(text.contains(said), "\(file): \(text)")
    }
    #expect(
      try ModelSearch(["1_bert/config.json", "1_bert/model.safetensors"], path: "p").folder()
        == "1_bert/")
    // A step's weights are no model's.
    var trial = FolderTrial([
      "2_Dense/config.json": "{}", "2_Dense/model.safetensors": "x", "pytorch_model.bin": "",
    ])
    trial.without = ["model.safetensors"]
    #expect(try trial.refusal().contains("pytorch_model.bin, a pickle"))
    #expect(
      try FolderTrial(["adapter_config.json": "{}"]).refusal().contains(
        "adapter_config.json: an adapter lies"))
  }

  @Test func filesThatAreNoneAreNamedOnce() throws {
    for name in [
      "config.json", "vocab.txt", "tokenizer.json", "tokenizer_config.json", "model.safetensors",
    ] {
      let trial = FolderTrial()
      try trial.write()
      let file = trial.source.appending(path: name)
      try? FileManager.default.removeItem(at: file)
      try FileManager.default.createDirectory(at: file, withIntermediateDirectories: false)
      let error = #expect(throws: (any Error).self) {
        try trial.store.importBase(from: trial.source.filePath, name: "b")
      }
      let text = error.map { "\($0)" } ?? ""
      #expect(
        text.ranges(of: file.filePath).count == 1 && text.contains("not a regular file"), "\(text)")
    }
    let trial = FolderTrial(["model.safetensors": "short"])
    let text = try trial.refusal()
    #expect(
      text.contains("source/model.safetensors is not a valid safetensors file: it has 5 bytes"),
      "\(text)")
  }

  @Test func vocabulariesAreToldByTheUsersFolder() throws {
    let trial = FolderTrial(["vocab.txt": "[PAD]\n[UNK]\n[CLS]\n[SEP]\n[MASK]\na\na\n"])
    #expect(
      try trial.refusal().contains("token 6 (line 7) of the vocabulary, \"a\", is there twice"))
  }
}
