package import Manager
internal import Model
package import Scheduler

/// Who asks, for which vBERT, with what; the pipeline does the rest. What HTTP is, is known in `Edge` and
/// `Connections` alone.
package struct Dispatcher: Sendable {
  let registry: any RegistryStore
  let bases: ServedBases
  let pipeline: Pipeline
  let cache: AdapterCache
  let limits: ServerLimits
  let about: ServerInfo
  let metrics: PrometheusMetrics
  let requests: HTTPMetrics
  let faults = PacedLog()
  let workers = Workers()
  let memory: RequestMemory
  /// Whose vBERTs are served while no tenant has a key.
  let openTenant: TenantRecord

  /// Throws the registry's errors.
  package init(
    registry: any RegistryStore, bases: ServedBases, pipeline: Pipeline, cache: AdapterCache,
    limits: ServerLimits = ServerLimits(), about: ServerInfo,
    metrics: PrometheusMetrics = PrometheusMetrics()
  ) async throws {
    self.registry = registry
    self.bases = bases
    self.pipeline = pipeline
    self.cache = cache
    self.limits = limits
    self.about = about
    self.metrics = metrics
    requests = HTTPMetrics(factory: metrics)
    memory = RequestMemory(bound: limits.bodyMemory)
    openTenant = try await registry.tenant(named: TenantRecord.defaultName)
  }
}
