import Compute
import ComputeCPU
import Foundation
import Model
import TestSupport
import Trainer

/// The goldens' tiny model with everything in it, and its batch of six sequences.
struct TinyModel {
  struct Case: Decodable {
    struct Config: Decodable {
      var vocab_size, hidden_size, num_attention_heads, intermediate_size: Int
      var num_hidden_layers, skip_layers, max_positions, type_vocab_size: Int
    }
    struct Run: Decodable {
      struct Step: Decodable { var loss, grad_norm_before_clip: Double }
      var steps: [Step]
      var loss_after: Double
    }
    struct AdamW: Decodable { var after3_adapters, after3_all: Run }
    var config: Config
    var ids: [[Int32]]
    var type_ids: [[Int32]]
    var labels: [Int32]
    var tags: [[Int32]]
    var losses: [String: Double]
    var adamw: AdamW
  }

  let file: Case
  let configuration: Configuration
  let batch: PackedBatch
  /// The base's tensors under SkipBERT's names, and adapters and heads (as `head`, of the task).
  let tensors: MemoryTensors
  let backend: CPUBackend

  init(
    task: VBertTask = .classify, threads: Int = 2, precision: Precision = .fp32,
    instructionSet: InstructionSet? = nil
  ) throws {
    file = try JSONDecoder().decode(
      Case.self, from: try Shared.bytes("golden/tiny/case.json"))
    let c = file.config
    configuration = Configuration(
      vocabularySize: c.vocab_size, hiddenSize: c.hidden_size, layerCount: c.num_hidden_layers,
      headCount: c.num_attention_heads, intermediateSize: c.intermediate_size,
      maxPositions: c.max_positions, tokenTypes: c.type_vocab_size, skipDepth: c.skip_layers)
    batch = try PackedBatch(Array(zip(file.ids, file.type_ids)), for: configuration)
    backend = try CPUBackend(
      threads: threads, instructionSet: try instructionSet ?? .chosen(), precision: precision)
    var tensors = MemoryTensors()
    for source in [try TinyModel.open("weights"), try TinyModel.open("lora")] {
      for name in source.names {
        let values = try source.floats(name)
        if name == TinyModel.localPositions {
          let padding = [Float](
            repeating: 0, count: (c.max_positions - 3) * configuration.hiddenSize)
          tensors.set(
            "embeddings.position_embeddings.weight", shape: [c.max_positions, c.hidden_size],
            values + padding)
        } else {
          tensors.set(
            TinyModel.ourName(name, task: task), shape: try source.shape(name), values)
        }
      }
    }
    self.tensors = tensors
  }

  static func open(_ name: String) throws -> SafetensorsFile {
    try SafetensorsFile(path: Shared.url("golden/tiny/\(name).safetensors").path())
  }

  static let localPositions: String = "skip.local_position_embeddings.weight"

  /// The goldens' plainer names in SkipBERT's and ours.
  static func ourName(_ name: String, task: VBertTask) -> String {
    let names = [
      "skip.gate.weight": "attn.weight", "skip.gate.bias": "attn.bias",
      "skip.position_embeddings.weight": "embeddings.position_embeddings2.weight",
      "skip.token_type_embeddings.weight": "embeddings.token_type_embeddings2.weight",
      "skip.LayerNorm.weight": "norm.weight", "skip.LayerNorm.bias": "norm.bias",
    ]
    if let known = names[name] { return known }
    let head = task == .tag ? "tagger." : "classifier."
    return name.hasPrefix(head) ? "head." + name.dropFirst(head.count) : name
  }

  func spec(_ adapter: AdapterSpec, task: VBertTask = .classify) -> VBertSpec {
    VBertSpec(
      task: task, base: "tiny", baseHash: "", adapter: adapter,
      labels: (0..<(task == .tag ? 5 : 3)).map { "label \($0)" }, maxLength: 32)
  }

  var targets: AdapterTraining.Targets { .classes(file.labels, weights: nil) }
  var tagTargets: AdapterTraining.Targets { .classes(file.tags.flatMap(\.self), weights: nil) }
  var tagShare: Double { 1 / Double(file.tags.joined().count { $0 >= 0 }) }

  func training(_ spec: VBertSpec) throws -> AdapterTraining {
    try AdapterTraining(
      specs: [spec], initial: [tensors], source: tensors, configuration: configuration,
      backend: backend, tokenBudget: 64)
  }

  /// The six sequences' states where training begins.
  func states(_ training: AdapterTraining) throws -> FrozenStates {
    let base = try BaseModel(source: tensors, configuration: configuration, backend: backend)
    let upper = try UpperEncoder(base: base, backend: backend, tokenBudget: 64)
    let local = try LocalEncoder(base: base, backend: backend, chunk: 64)
    return try FrozenStates(
      zip(file.ids, file.type_ids).map {
        try TokenSequence(ids: $0, types: $1, for: configuration)
      },
      entry: Entry(upper, lookup: local.lookup), training: training, byteLimit: 1 << 20)
  }
}

extension AdapterTraining {
  /// Of the one vBERT that trains.
  var spec: VBertSpec { specs[0] }
  var own: ParameterSet { parameters[0] }

  /// The one vBERT's gradients over a batch that is all its own, and its loss.
  func accumulate(
    _ x: Tensor, layout: SequenceLayout, targets: Targets, share: Double
  ) throws -> Double {
    try clearLosses()
    let part = Part(
      vbert: 0, sequences: 0..<layout.count, targets: targets, share: share)
    try accumulate(.states(x, layout), parts: [part])
    return try readLosses()[0]
  }
}
