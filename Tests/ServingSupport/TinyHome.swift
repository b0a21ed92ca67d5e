package import Compute
internal import ComputeCPU
package import CoreMetrics
internal import Files
package import Foundation
package import Manager
package import Model
package import Scheduler

/// A data directory of its own with vBERTs of every kind on the tiny base, and a pipeline that
/// serves them. Removed when the last reference goes.
package final class TinyHome: Sendable {
  package let home: Home
  package let registry: Registry
  package let store: AdapterStore
  package let bases: ServedBases
  package let cache: AdapterCache

  package static let bottleneck = AdapterSpec.bottleneck(width: 8, sites: [.attention])

  /// Every base on so many lanes.
  package init(lanes: Int = 1) throws {
    home = Home(
      option: FileManager.default.temporaryDirectory
        .appending(path: "vbert ä serving-\(UUID().uuidString)").filePath)
    registry = try Registry(home: home)
    store = AdapterStore(registry: registry)
    var dense = TinyModel.configuration
    dense.skipDepth = 0
    let denseShape = dense
    var single = TinyModel.configuration
    single.tokenTypes = 1
    let singleShape = single
    bases = ServedBases { name in
      switch name {
      case "tiny": try TinyModel.served(lanes: lanes)
      case "dense": try TinyModel.served(named: "dense", denseShape, seed: 2, lanes: lanes)
      case "single": try TinyModel.served(named: "single", singleShape, seed: 3, lanes: lanes)
      default: throw CocoaError(.fileNoSuchFile)
      }
    }
    let lane = try CPUBackend(threads: 1)
    cache = AdapterCache(store: store, bound: 1 << 20, load: { try lane.load($0) })
  }

  deinit { try? FileManager.default.removeItem(at: home.root) }

  /// Registers a vBERT and publishes random parameters.
  @discardableResult
  package func add(
    _ name: VBertName, _ spec: VBertSpec, seed: UInt64 = 1
  ) throws -> PinnedVBert {
    let shape = try bases.base(named: spec.base).configuration
    let adapter = try TinyModel.adapter(spec, shape, seed: seed)
    // Nothing here waits for another task: it runs on this thread, a test's too.
    _ = try blocking { [store] in
      try await store.create(vbert: name, spec: spec, base: shape, adapter: adapter)
    }
    return try pinned(name)
  }

  package func pinned(_ name: VBertName) throws -> PinnedVBert {
    let record = try registry.vbert(name)
    guard let version = record.version else { throw CocoaError(.fileNoSuchFile) }
    return PinnedVBert(id: version, name: record.name.text, spec: record.spec)
  }

  /// Pinned to the vBERT's base.
  package func request(
    _ vbert: PinnedVBert, _ tokens: TokenSequence, words: [Int?] = []
  ) throws -> Scheduler.Request {
    Request(vbert: vbert, on: try bases.pin(vbert.spec), tokens: tokens, words: words)
  }

  /// What `addAll` adds.
  package static let names: [VBertName] = [
    "topic", "mood", "tags", "names", "similar", "meaning", "dense-topic", "parts",
  ]

  /// One of every task and kind of adapter, on both bases.
  package func addAll() throws {
    let abc = ["a", "b", "c"]
    try add("topic", TinyModel.spec(.classify, Self.bottleneck, labels: abc), seed: 3)
    try add(
      "mood",
      TinyModel.spec(
        .classify, .lora(rank: 4, alpha: 8, targets: [.query, .up]), labels: ["good", "bad"],
        pooling: .cls), seed: 4)
    try add(
      "tags",
      TinyModel.spec(
        .multilabel, .bottleneck(width: 5, sites: [.attention, .ffn]), labels: abc + ["d"],
        pooling: .normalizedMean), seed: 5)
    try add(
      "names",
      TinyModel.spec(.tag, Self.bottleneck, labels: ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"]),
      seed: 6)
    try add("similar", TinyModel.spec(.score, Self.bottleneck), seed: 7)
    try add("meaning", TinyModel.spec(.embed, .none), seed: 8)
    try add(
      "dense-topic", TinyModel.spec(.classify, Self.bottleneck, labels: abc, base: "dense"),
      seed: 9)
    try add(
      "parts",
      TinyModel.spec(
        .tag, Self.bottleneck, labels: ["O", "B-PER", "I-PER", "B-LOC", "I-LOC"],
        pooling: .normalizedMean), seed: 6)
  }

  /// No probe comes between, and no stage is called hung on a machine that does other things too.
  package static let unwatched: HealthWatch.Settings = {
    var settings = HealthWatch.Settings()
    settings.pause = .seconds(86_400)
    settings.grace = .seconds(86_400)
    settings.firstGrace = .seconds(86_400)
    return settings
  }()

  /// Not started.
  package func pipeline(
    tokenBudget: Int = 512, queue: Int = 1000, adapters: (any AdapterSource)? = nil,
    trace: Trace? = nil, metrics: any MetricsFactory = NOOPMetricsHandler.instance,
    backend: (any Backend)? = nil, lanes: Int = 1, witnesses: (any ProbeWitnesses)? = nil,
    watch: HealthWatch.Settings = TinyHome.unwatched
  ) throws -> Pipeline {
    Pipeline(
      intake: Intake(
        bounds: .init(total: queue, perTenant: queue),
        policy: BatchPolicy(tokenBudget: tokenBudget, maxSequences: 64), lanes: lanes),
      bases: bases,
      devices: try (0..<lanes).map { _ in
        .init(adapters: adapters ?? cache, backend: try backend ?? CPUBackend(threads: 1))
      },
      trace: trace, metrics: metrics, witnesses: witnesses, watch: watch)
  }
}

extension AdapterStore {
  /// The file of a blob, to damage it.
  package func url(_ blob: String) -> URL { FileBlobs(home).url(blob) }
}
