package import Manager
internal import Model
package import Scheduler

/// Who asks, for which vBERT, with what; the pipeline does the rest. What HTTP is, is known in `Edge` and
/// `Connections` alone.
package struct Dispatcher: Sendable {
  let store: AdapterStore
  var registry: any RegistryStore { store.registry }
  let files: UploadedFiles
  /// Of what fine-tunings learn from, and how.
  let rules: any TrainingRules
  let bases: ServedBases
  let pipeline: Pipeline
  let cache: AdapterCache
  let limits: ServerLimits
  let about: ServerInfo
  let metrics: PrometheusMetrics
  let requests: HTTPMetrics
  let faults = PacedLog()
  let workers = Workers()
  /// Of what changes or lists what there is: the registry may let them wait.
  let clerks = Workers()
  let memory: RequestMemory
  let usage: UsageLog
  let quotas = Quotas()
  /// Whose vBERTs are served while no tenant has a key.
  let openTenant: TenantRecord

  /// Throws the registry's errors.
  package init(
    store: AdapterStore, bases: ServedBases, pipeline: Pipeline, cache: AdapterCache,
    rules: any TrainingRules, limits: ServerLimits = ServerLimits(), about: ServerInfo,
    metrics: PrometheusMetrics = PrometheusMetrics()
  ) async throws {
    self.store = store
    files = UploadedFiles(store.home)
    self.rules = rules
    self.bases = bases
    self.pipeline = pipeline
    self.cache = cache
    self.limits = limits
    self.about = about
    self.metrics = metrics
    requests = HTTPMetrics(factory: metrics)
    usage = UsageLog(store.registry)
    memory = RequestMemory(bound: limits.bodyMemory)
    openTenant = try await store.registry.tenant(named: TenantRecord.defaultName)
  }
}

extension Dispatcher {
  /// Writes down what is gathered: the last thing that a server does.
  package func close() async { await usage.flush() }
}
