import Compute
import ComputeCUDA
import Foundation
import GPUBench
import Model

/// Whole models on the GPU beside numbers of an independent implementation (fp64, PyTorch).
///
/// The directory holds `tiny/` as shared/golden has it and, optionally, `minilm/` with
/// weights.safetensors, config.json and the skip goldens of k 2 and 3.
struct GoldenChecks {
  let checks: Checks
  let directory: String

  let backend: any Backend
  let title: String

  init(_ checks: Checks, _ backend: any Backend, title: String, directory: String) {
    self.checks = checks
    self.backend = backend
    self.title = title
    self.directory = directory
  }

  /// Relative Frobenius, on hidden states in bf16.
  static let tolerance = 3e-2

  func run() throws {
    try tiny()
    guard FileManager.default.fileExists(atPath: "\(directory)/minilm/weights.safetensors") else {
      return print("skip MiniLM: no weights in \(directory)/minilm")
    }
    for k in [2, 3] { try miniLM(k) }
  }

  private func open(_ name: String) throws -> SafetensorsFile {
    try SafetensorsFile(path: "\(directory)/\(name).safetensors")
  }

  private func decode<File: Decodable>(_ name: String) throws -> File {
    try JSONDecoder().decode(
      File.self, from: try Data(contentsOf: URL(filePath: "\(directory)/\(name).json")))
  }

  /// The goldens' names of what a skip base has, in SkipBERT's.
  private static let names = [
    "skip.gate.weight": "attn.weight", "skip.gate.bias": "attn.bias",
    "skip.position_embeddings.weight": "embeddings.position_embeddings2.weight",
    "skip.token_type_embeddings.weight": "embeddings.token_type_embeddings2.weight",
    "skip.LayerNorm.weight": "norm.weight", "skip.LayerNorm.bias": "norm.bias",
  ]

  private func add(_ file: SafetensorsFile, positions: Int, to tensors: inout MemoryTensors) throws
  {
    for name in file.names {
      if name == "skip.local_position_embeddings.weight" {
        let rows = try file.floats(name)
        let hidden = rows.count / 3
        tensors.set(
          "embeddings.position_embeddings.weight", shape: [positions, hidden],
          rows + [Float](repeating: 0, count: (positions - 3) * hidden))
      } else {
        tensors.set(
          GoldenChecks.names[name] ?? name, shape: try file.shape(name), try file.floats(name))
      }
    }
  }

  /// A model on the GPU.
  private final class Model {
    let runner: Runner
    let base: BaseModel
    let upper: UpperEncoder
    let local: LocalEncoder

    init(_ source: MemoryTensors, _ configuration: Configuration, _ backend: any Backend) throws {
      runner = Runner(backend, seed: 1)
      base = try BaseModel(source: source, configuration: configuration, backend: backend)
      upper = try UpperEncoder(base: base, backend: backend, tokenBudget: 1024)
      local = try LocalEncoder(base: base, backend: backend, chunk: 64)
    }

    /// The final states of a batch.
    func final(_ batch: PackedBatch, grams: [NGram]? = nil, groups: [RowGroup] = []) throws
      -> [Float]
    {
      let grams = grams ?? batch.grams
      let width = 3 * base.configuration.hiddenSize
      var table = [Float](repeating: 0, count: grams.count * width)
      unsafe try table.withUnsafeMutableBufferPointer { unsafe try local.compute(grams, into: $0) }
      return unsafe try table.withUnsafeBufferPointer { table in
        let start = UInt(bitPattern: table.baseAddress)
        let x = try upper.states(
          of: batch,
          rows: grams.indices.map {
            NGramRow(address: start + UInt($0 * width * 4), type: .float32)
          }, sequences: runner.backend.place(batch.layout), groups: runner.backend.place(groups))
        return try runner.read(x)
      }
    }
  }

  private func miniLM(_ k: Int) throws {
    struct File: Decodable {
      struct Case: Decodable {
        var index: Int
        var ids: [Int32]
        var type_ids: [Int32]
        var grams: [[Int32]]?
      }
      var cases: [Case]
    }
    var configuration = try Configuration(
      json: try Data(contentsOf: URL(filePath: "\(directory)/minilm/config.json")))
    configuration.skipDepth = k
    var tensors = MemoryTensors()
    let weights = try open("minilm/weights")
    for name in weights.names {
      tensors.set(name, shape: try weights.shape(name), try weights.floats(name))
    }
    try add(
      open("minilm/skip_minilm_k\(k).extras"), positions: configuration.maxPositions, to: &tensors)
    let model = try Model(tensors, configuration, backend)
    let file: File = try decode("minilm/skip_minilm_k\(k).cases")
    let expected = try open("minilm/skip_minilm_k\(k).expected")
    var (found, wanted): ([Float], [Float]) = ([], [])
    var worst = 0.0
    for item in file.cases {
      let states = try model.final(
        PackedBatch([(item.ids, item.type_ids)], for: configuration),
        grams: item.grams?.map { NGram(golden: $0) })
      let golden = try expected.floats("final.\(item.index)")
      worst = max(worst, relativeError(states, golden))
      found += states
      wanted += golden
    }
    checks.report(
      "\(title): skip MiniLM k \(k), all cases", error: relativeError(found, wanted),
      tolerance: GoldenChecks.tolerance)
    checks.report(
      "\(title): skip MiniLM k \(k), worst case", error: worst, tolerance: GoldenChecks.tolerance)
  }

  private func tiny() throws {
    struct Case: Decodable {
      struct Config: Decodable {
        var vocab_size, hidden_size, num_attention_heads, intermediate_size: Int
        var num_hidden_layers, skip_layers, max_positions, type_vocab_size: Int
      }
      struct Mixed: Decodable { var tenants: [String?] }
      var config: Config
      var ids: [[Int32]]
      var type_ids: [[Int32]]
      var mixed: Mixed
      var mixed_hard: Mixed
    }
    let file: Case = try decode("tiny/case")
    let c = file.config
    let configuration = Configuration(
      vocabularySize: c.vocab_size, hiddenSize: c.hidden_size, layerCount: c.num_hidden_layers,
      headCount: c.num_attention_heads, intermediateSize: c.intermediate_size,
      maxPositions: c.max_positions, tokenTypes: c.type_vocab_size, skipDepth: c.skip_layers)
    var tensors = MemoryTensors()
    try add(open("tiny/weights"), positions: c.max_positions, to: &tensors)
    let model = try Model(tensors, configuration, backend)
    let batch = try PackedBatch(Array(zip(file.ids, file.type_ids)), for: configuration)
    let expected = try open("tiny/expected")
    func packed(_ name: String) throws -> [Float] {
      let shape = try expected.shape(name)
      let values = try expected.floats(name)
      return (0..<shape[0]).flatMap { i in
        let start = i * shape[1] * shape[2]
        return values[start..<start + batch.layout.rows(of: i).count * shape[2]]
      }
    }
    checks.report(
      "\(title): tiny, no adapters",
      error: relativeError(try model.final(batch), try packed("plain.hidden.2")),
      tolerance: GoldenChecks.tolerance)
    let lora = try model.runner.backend.load(adapter(open("tiny/lora"), "", "lora."))
    checks.report(
      "\(title): tiny, LoRA",
      error: relativeError(
        try model.final(batch, groups: [RowGroup(rows: 0..<batch.layout.rows, adapter: lora)]),
        try packed("lora.final")), tolerance: GoldenChecks.tolerance)
    for (name, tenants) in [("mixed", file.mixed.tenants), ("mixed_hard", file.mixed_hard.tenants)]
    {
      let source = try open("tiny/\(name)_adapters")
      var loaded: [String: any ResidentAdapter] = [:]
      for tenant in Set(tenants.compactMap(\.self)) {
        let prefix = source.names.contains { $0.hasPrefix("\(tenant).adapter.") } ? "adapter." : ""
        loaded[tenant] = try model.runner.backend.load(
          adapter(source, "\(tenant).\(prefix)", "\(tenant).lora."))
      }
      let groups = tenants.enumerated().map { i, tenant in
        RowGroup(rows: batch.layout.rows(of: i), adapter: tenant.flatMap { loaded[$0] })
      }
      checks.report(
        "\(title): tiny, \(name)",
        error: relativeError(try model.final(batch, groups: groups), try packed("\(name).final")),
        tolerance: GoldenChecks.tolerance)
    }
  }

  private func adapter(_ source: SafetensorsFile, _ bottleneck: String, _ lowRank: String) throws
    -> HostAdapter
  {
    func matrix(_ weight: String, _ bias: String?) throws -> HostMatrix {
      let shape = try source.shape(weight)
      return HostMatrix(
        weight: try source.floats(weight), bias: try bias.map(source.floats), outputs: shape[0],
        inputs: shape[1])
    }
    var adapter = HostAdapter()
    for layer in [2, 3] {
      for site in AdapterSite.allCases {
        let name = "\(bottleneck)\(layer).\(site == .attention ? "attn" : "ffn")"
        guard source.names.contains("\(name).down.weight") else { continue }
        adapter.bottlenecks.append(
          .init(
            layer: layer, site: site, down: try matrix("\(name).down.weight", "\(name).down.bias"),
            up: try matrix("\(name).up.weight", "\(name).up.bias")))
      }
      for (target, part) in [(LowRankTarget.query, "query"), (.value, "value")] {
        let name = "\(lowRank)\(layer).\(part)"
        guard source.names.contains("\(name).A") else { continue }
        adapter.lowRanks.append(
          .init(
            layer: layer, target: target, a: try matrix("\(name).A", nil),
            b: try matrix("\(name).B", nil), scale: 2))
      }
    }
    return adapter
  }
}

extension NGram {
  /// Of a list of three ids, where the goldens have 0 for none.
  fileprivate init(golden ids: [Int32]) {
    let ids = ids.map { $0 == 0 ? NGram.none : $0 }
    self.init(ids[0], ids[1], ids[2])
  }
}
