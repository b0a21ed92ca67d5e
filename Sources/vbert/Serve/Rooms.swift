import Compute
import Dispatcher
import Foundation
import Logging
import Manager
import Model
import Scheduler
import Trainer

/// The rooms of a server, wired: each knows those below it and nobody else.
struct Rooms {
  let registry: any RegistryStore
  let pipeline: Pipeline
  let dispatcher: Dispatcher
  private let bases: ServedBases
  private let store: AdapterStore
  let options: ServingOptions

  init(home: Home, _ device: Device, _ options: ServingOptions, _ log: Logger) async throws {
    self.options = options
    let stored = BaseStore(home: home)
    let registry = try Registry(home: home)
    self.registry = registry
    store = AdapterStore(registry: registry)

    let plotBytes = options.plotBytes.bytes
    let rowBytes = options.devicePlotBytes.bytes
    let bases = ServedBases { name in
      do {
        let base = try stored.load(name)
        log.info("base \(name): \(base.verification.text)")
        return try Rooms.served(base, device: device, plotBytes: plotBytes, rowBytes: rowBytes) {
          log.error("n-gram rows are computed", metadata: ["base": "\(name)", "why": "\($0)"])
        }
      } catch {
        // Tried again after 1 s, then 2, 4 ... 60: so often at most.
        log.error(
          "vBERTs on a base cannot be served", metadata: ["base": "\(name)", "why": "\(error)"])
        throw error
      }
    }
    self.bases = bases
    let (cache, adapters) = try Rooms.adapters(store, device, options)

    let backend = try device.lane(threads: options.threads)
    let tokenBudget = options.tokenBudget ?? device.batch.tokens
    let batch = options.batch ?? device.batch.sequences
    let batchTime = options.batchMs ?? device.batchTime
    let metrics = PrometheusMetrics()
    pipeline = Pipeline(
      intake: Intake(
        bounds: .init(total: options.queue, perTenant: options.tenantQueue),
        policy: BatchPolicy(
          tokenBudget: tokenBudget, maxSequences: batch, limit: .milliseconds(batchTime))),
      bases: bases, devices: [.init(adapters: adapters, backend: backend)], mode: options.plot,
      trace: try options.trace.map { try Trace(path: $0) }, metrics: metrics,
      witnesses: StoredWitnesses(store: store))
    var limits = ServerLimits()
    // More would never fit the queue, however often they come back.
    limits.batch = min(options.maxTexts, options.queue, options.tenantQueue ?? options.queue)
    limits.bodyBytes = options.bodyBytes.bytes
    limits.bodyMemory =
      options.bodyMemory?.bytes ?? max(limits.bodyMemory, 2 * options.bodyBytes.bytes)
    limits.uploadBytes = options.uploadBytes.bytes
    limits.seconds = options.timeout
    limits.autoTruncate = options.autoTruncate
    limits.corsOrigins = options.corsOrigin
    dispatcher = try await Dispatcher(
      store: store, bases: bases, pipeline: pipeline, cache: cache, rules: FineTuningRules(),
      limits: limits,
      about: ServerInfo(
        version: Vbert.version, device: backend.name, plotMode: options.plot,
        tokenBudget: tokenBudget, maxSequences: batch, queue: options.queue, batchTime: batchTime),
      metrics: metrics)
  }

  /// Adapters on the device, read from the disk; or in host memory, with those of a batch on the device.
  private static func adapters(
    _ store: AdapterStore, _ device: Device, _ options: ServingOptions
  ) throws -> (AdapterCache, any AdapterSource) {
    func cache(_ bound: Int, _ load: @escaping AdapterCache.Load) -> AdapterCache {
      AdapterCache(store: store, bound: bound, load: load)
    }
    guard let hostBytes = options.hostAdapterBytes?.bytes else {
      let lane = try device.lane(threads: 1)
      let cache = cache(options.cacheBytes?.bytes ?? device.adapterBytes) { try lane.load($0) }
      return (cache, cache)
    }
    guard let mover = try device.adapterMover(byteCount: options.cacheBytes?.bytes) else {
      throw ComputeError.unsupported(
        "--host-adapter-bytes is for --device cuda; --cache-bytes bounds adapters on a CPU")
    }
    let kept = cache(hostBytes) { try mover.keep($0) }
    return (kept, MovedAdapters(kept, mover: mover))
  }

  /// A base with a lane of its own for loading and for n-grams that missed.
  private static func served(
    _ base: Base, device: Device, plotBytes: Int, rowBytes: Int,
    tell: @escaping @Sendable (PLOTError) -> Void
  ) throws -> ServedBase {
    let lane = try device.lane(threads: 1, for: base.configuration)
    let model = try BaseModel(
      source: base.weights, configuration: base.configuration, backend: lane)
    var lookup: NGramLookup?
    var rowCache: (any NGramRowCache)?
    if base.configuration.isSkip {
      let store = try base.openPLOT(cacheBytes: plotBytes, tell: tell)
      rowCache = try device.rowCache(
        byteCount: rowBytes, hidden: store.format.hidden, type: store.format.type.elementType)
      lookup = NGramLookup(store: store, computer: try LocalEncoder(base: model, backend: lane))
    }
    let plot = lookup?.store
    return ServedBase(
      name: base.name, contentHash: base.record.contentHash, tokenizer: base.tokenizer, plot: plot,
      engines: [Engine(model: model, lookup: lookup, rowCache: rowCache)])
  }

  /// Loads the bases that were asked for, or those that vBERTs use, before the first request does.
  /// A base that vBERTs use and that cannot be loaded is their error, not the server's.
  func preload() async throws {
    for name in options.base { _ = try bases.base(named: name) }
    guard options.base.isEmpty else { return }
    for name in try await registry.basesInUse() {
      // Why it could not be loaded is in the log by now.
      _ = try? bases.base(named: name)
    }
  }

  /// Takes back the n-gram rows that were in use when the server last stopped, in the background.
  func restoreRows(_ log: Logger) {
    let bases = bases
    Thread.detachNewThread {
      for base in bases.loaded {
        guard
          let rows = base.plot?.restoreAdmitted(
            vocabulary: base.configuration.vocabularySize), rows > 0
        else { continue }
        log.info(
          "\(rows) n-gram rows of the last run are in memory", metadata: ["base": "\(base.name)"])
      }
    }
  }

  /// Lets go, from time to time, of tables that somebody waits to write to: they wait for the server.
  func watchTables() {
    let bases = bases
    Thread.detachNewThread {
      while true {
        Thread.sleep(forTimeInterval: 0.5)
        for base in bases.loaded { base.plot?.letGo() }
      }
    }
  }

  /// Keeps the n-gram rows that were computed and admitted, for the next start. What cannot be kept
  /// is only computed again.
  func saveRows(_ log: Logger) {
    for base in bases.loaded {
      do { try base.plot?.saveAdmitted() } catch {
        log.warning(
          "n-gram rows are not kept for the next start",
          metadata: ["base": "\(base.name)", "why": "\(error)"])
      }
    }
  }

  /// Removes what crashes left, and closes to others what older versions left open, in the background.
  func collectOrphans(_ log: Logger) {
    let store = store
    Thread.detachNewThread {
      let leftovers = store.home.sweepLeftovers()
      if leftovers > 0 { log.info("removed \(leftovers) leftovers of programs that were killed") }
      do {
        let files = UploadedFiles(store.home)
        let old = try blocking {
          try await files.sweep { try await store.registry.known(files: $0) }
        }
        if old > 0 { log.info("removed \(old) files that nobody learns from") }
        let report = try blocking { try await store.collectOrphans() }
        if report.removedFiles > 0 {
          log.info("removed \(report.removedFiles) files that belong to no version")
        }
        if report.quarantinedFiles > 0 {
          log.warning(
            "\(report.quarantinedFiles) files of parameters belong to no version: kept in adapters/.quarantine for seven days"
          )
        }
        for link in report.links {
          log.warning(
            "a link, or no directory: what is behind it is never collected",
            metadata: ["path": "\(link)"])
        }
        for blob in report.missing {
          log.error("a version's parameters are missing", metadata: ["blob": "\(blob)"])
        }
      } catch {
        log.error("files that belong to no version cannot be removed: \(error)")
      }
      let open = HomeModes.tighten(store.home)
      if open > 0 { log.info("\(open) files of the home could be read by others; no longer") }
    }
  }
}
