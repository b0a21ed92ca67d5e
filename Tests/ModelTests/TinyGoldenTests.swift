import Compute
import ComputeCPU
import Foundation
import Model
import TestSupport
import Testing

/// The tiny model with everything in it: adapters at both sites, LoRA, several tenants in a batch.
@Suite("Adapters against the goldens", .enabled(if: Shared.exists, "\(Shared.missing)"))
struct TinyGoldenTests {
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

  let file: Case
  let runner: GoldenRunner
  let batch: PackedBatch
  let expected: SafetensorsFile
  private let folder = Shared.directory.appending(path: "golden/tiny")

  init() throws {
    file = try JSONDecoder().decode(
      Case.self, from: try Data(contentsOf: folder.appending(path: "case.json")))
    let c = file.config
    let configuration = Configuration(
      vocabularySize: c.vocab_size, hiddenSize: c.hidden_size, layerCount: c.num_hidden_layers,
      headCount: c.num_attention_heads, intermediateSize: c.intermediate_size,
      maxPositions: c.max_positions, tokenTypes: c.type_vocab_size, skipDepth: c.skip_layers)
    let weights = try SafetensorsFile(path: folder.appending(path: "weights.safetensors").path())
    var checkpoint = Checkpoint()
    try checkpoint.add(weights) { Checkpoint.skipNames[$0] ?? ($0.hasPrefix("skip.") ? nil : $0) }
    try checkpoint.addLocalPositions(weights, positions: c.max_positions)
    runner = try GoldenRunner(checkpoint, configuration)
    batch = try PackedBatch(Array(zip(file.ids, file.type_ids)), for: configuration)
    expected = try SafetensorsFile(path: folder.appending(path: "expected.safetensors").path())
  }

  /// The valid rows of an expected [6, T, hidden] tensor, packed.
  private func packed(_ name: String) throws -> [Float] {
    let shape = try expected.shape(name)
    let values = try expected.floats(name)
    return (0..<shape[0]).flatMap { i in
      let start = i * shape[1] * shape[2]
      return values[start..<start + batch.layout.rows(of: i).count * shape[2]]
    }
  }

  /// Bottlenecks `<prefix><layer>.<attn|ffn>.down.weight`... at every place that the file names.
  private func bottlenecks(_ source: SafetensorsFile, prefix: String) throws
    -> [HostAdapter.Bottleneck]
  {
    var list: [HostAdapter.Bottleneck] = []
    for (layer, site) in [2, 3].flatMap({ layer in
      AdapterSite.allCases.map { (layer, $0) }
    }) {
      let name = "\(prefix)\(layer).\(site == .attention ? "attn" : "ffn")"
      guard source.names.contains("\(name).down.weight") else { continue }
      func matrix(_ part: String) throws -> HostMatrix {
        let shape = try source.shape("\(name).\(part).weight")
        return HostMatrix(
          weight: try source.floats("\(name).\(part).weight"),
          bias: try source.floats("\(name).\(part).bias"), outputs: shape[0], inputs: shape[1])
      }
      list.append(
        .init(layer: layer, site: site, down: try matrix("down"), up: try matrix("up")))
    }
    return list
  }

  private func lowRanks(_ source: SafetensorsFile, prefix: String) throws -> [HostAdapter.LowRank] {
    try [2, 3].flatMap { layer in
      try [LowRankTarget.query, .value].compactMap { target in
        let name = "\(prefix)\(layer).\(target.name)"
        guard source.names.contains("\(name).A") else { return nil }
        func matrix(_ part: String) throws -> HostMatrix {
          let shape = try source.shape("\(name).\(part)")
          return HostMatrix(
            weight: try source.floats("\(name).\(part)"), bias: nil, outputs: shape[0],
            inputs: shape[1])
        }
        return .init(layer: layer, target: target, a: try matrix("A"), b: try matrix("B"), scale: 2)
      }
    }
  }

  private func open(_ name: String) throws -> SafetensorsFile {
    try SafetensorsFile(path: folder.appending(path: "\(name).safetensors").path())
  }

  @Test func withoutAdapters() throws {
    let states = try runner.states(batch)
    for i in 0..<3 {
      #expect(largestDifference(states[i], try packed("plain.hidden.\(i)")) < 2e-5)
    }
  }

  @Test func bottleneckAtBothSites() throws {
    let adapter = HostAdapter(bottlenecks: try bottlenecks(open("weights"), prefix: "adapter."))
    #expect(adapter.bottlenecks.count == 4)
    let group = RowGroup(rows: 0..<batch.layout.rows, adapter: try runner.backend.load(adapter))
    let states = try runner.states(batch, groups: [group])
    for i in 0..<3 { #expect(largestDifference(states[i], try packed("hidden.\(i)")) < 2e-5) }
  }

  @Test func lowRank() throws {
    let adapter = HostAdapter(lowRanks: try lowRanks(open("lora"), prefix: "lora."))
    #expect(adapter.lowRanks.count == 4)
    let group = RowGroup(rows: 0..<batch.layout.rows, adapter: try runner.backend.load(adapter))
    let states = try runner.states(batch, groups: [group])
    #expect(largestDifference(states[2], try packed("lora.final")) < 2e-5)
  }

  /// Tenants of other kinds and widths in one batch, and each of them alone.
  @Test(arguments: ["mixed", "mixed_hard"]) func together(name: String) throws {
    let source = try open("\(name)_adapters")
    let tenants = name == "mixed" ? file.mixed.tenants : file.mixed_hard.tenants
    var loaded: [String: any ResidentAdapter] = [:]
    for tenant in Set(tenants.compactMap(\.self)) {
      let prefix = source.names.contains { $0.hasPrefix("\(tenant).adapter.") } ? "adapter." : ""
      let adapter = HostAdapter(
        bottlenecks: try bottlenecks(source, prefix: "\(tenant).\(prefix)"),
        lowRanks: try lowRanks(source, prefix: "\(tenant).lora."))
      #expect(adapter.bottlenecks.count + adapter.lowRanks.count > 0, "\(tenant)")
      loaded[tenant] = try runner.backend.load(adapter)
    }
    let groups = tenants.enumerated().map { i, tenant in
      RowGroup(rows: batch.layout.rows(of: i), adapter: tenant.flatMap { loaded[$0] })
    }
    let states = try runner.states(batch, groups: groups)
    #expect(largestDifference(states[2], try packed("\(name).final")) < 2e-5)
    let firsts = tenants.indices.flatMap { i in
      states[2][(batch.layout.rows(of: i).lowerBound * file.config.hidden_size)...]
        .prefix(file.config.hidden_size)
    }
    #expect(largestDifference(try runner.firstStates(batch, groups: groups), firsts) < 1e-5)

    for (i, tenant) in tenants.enumerated() {
      let alone = try PackedBatch(
        [(file.ids[i], file.type_ids[i])], for: runner.base.configuration)
      let group = RowGroup(
        rows: 0..<alone.layout.rows, adapter: tenant.flatMap { loaded[$0] })
      let state = try runner.states(alone, groups: [group])[2]
      let rows = batch.layout.rows(of: i)
      let hidden = file.config.hidden_size
      let found = states[2][rows.lowerBound * hidden..<rows.upperBound * hidden]
      #expect(largestDifference(found, state) < 1e-5, "sequence \(i)")
    }
  }
}
