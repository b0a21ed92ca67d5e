import Foundation
import Model
import TestSupport

/// A small BERT with random weights in Hugging Face's layout: enough to import, skip, train and
/// serve in seconds, on any machine.
enum TinyCheckpoint {
  static let words = [
    "red", "blue", "green", "warm", "cold", "one", "two", "three", "cat", "dog", "bird", "runs",
    "sleeps", "sings", "the", "in", "paris", "oslo", "rome", "fast", "slow", "?", ".",
  ]
  static let hidden = 32
  static let wide = 64
  static let layers = 4

  static func write(to folder: URL) throws {
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    let letters = "abcdefghijklmnopqrstuvwxyz".map(String.init)
    let vocabulary =
      ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"] + words + letters + letters.map { "##\($0)" }
    try Data((vocabulary.joined(separator: "\n") + "\n").utf8).write(
      to: folder.appending(path: "vocab.txt"))
    let configuration: [String: Any] = [
      "model_type": "bert", "vocab_size": vocabulary.count, "hidden_size": hidden,
      "num_hidden_layers": layers, "num_attention_heads": 4, "intermediate_size": wide,
      "max_position_embeddings": 64, "type_vocab_size": 2, "hidden_act": "gelu",
      "layer_norm_eps": 1e-12,
    ]
    try JSONSerialization.data(withJSONObject: configuration).write(
      to: folder.appending(path: "config.json"))
    try SafetensorsWriter.write(
      tensors(vocabulary: vocabulary.count), metadata: ["format": "pt"],
      to: folder.appending(path: "model.safetensors").path())
  }

  private static func tensors(vocabulary: Int) -> [SafetensorsTensor] {
    var generator = SeededGenerator(seed: 7)
    var tensors: [SafetensorsTensor] = []
    func add(_ name: String, _ shape: [Int], scale: Float) {
      let values = (0..<shape.reduce(1, *)).map { _ in
        Float.random(in: -scale...scale, using: &generator)
      }
      tensors.append(SafetensorsTensor(name: name, shape: shape, floats: values))
    }
    func norm(_ name: String) {
      let ones = [Float](repeating: 1, count: hidden)
      tensors.append(SafetensorsTensor(name: "\(name).weight", shape: [hidden], floats: ones))
      add("\(name).bias", [hidden], scale: 0)
    }
    func linear(_ name: String, _ outputs: Int, _ inputs: Int) {
      add("\(name).weight", [outputs, inputs], scale: 0.3)
      add("\(name).bias", [outputs], scale: 0.05)
    }
    add("bert.embeddings.word_embeddings.weight", [vocabulary, hidden], scale: 1)
    add("bert.embeddings.position_embeddings.weight", [64, hidden], scale: 0.1)
    add("bert.embeddings.token_type_embeddings.weight", [2, hidden], scale: 0.1)
    norm("bert.embeddings.LayerNorm")
    for layer in 0..<layers {
      let name = "bert.encoder.layer.\(layer)"
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
}
