import Manager
import Model
import Testing

/// An implementation of `RegistryStore`, empty: what is to hold for all of them runs over each.
struct RegistryStoreKind: Sendable, CustomTestStringConvertible {
  let testDescription: String
  /// Those that it opens on one home are one, as two processes see it.
  let open: @Sendable (Home) throws -> any RegistryStore

  static let all: [RegistryStoreKind] = [
    RegistryStoreKind(testDescription: "SQLite") { try Registry(home: $0) },
    RegistryStoreKind(testDescription: "SQLite, a wait away") {
      DistantRegistry(try Registry(home: $0))
    },
  ]
}

/// Waits before every answer, as one behind a network does.
struct DistantRegistry: RegistryStore {
  typealias Error = RegistryError
  let near: Registry

  init(_ near: Registry) { self.near = near }

  private func far() async -> Registry {
    await _Concurrency.Task.yield()
    return near
  }

  func create(
    vbert name: Name, tenant: Name, spec: VBertSpec, first: FirstVersion?
  ) async throws(Error) -> VBertRecord {
    try await far().create(vbert: name, tenant: tenant, spec: spec, first: first)
  }
  func find(_ name: Name, tenant: Int64?) async throws(Error) -> VBertRecord? {
    try await far().find(name, tenant: tenant)
  }
  func list(
    prefix: String, tenant: Int64?, after: Name?, limit: Int
  ) async throws(Error) -> [VBertRecord] {
    try await far().list(prefix: prefix, tenant: tenant, after: after, limit: limit)
  }
  func countVBERTs() async throws(Error) -> Int { try await far().countVBERTs() }
  func delete(vbert name: Name) async throws(Error) { try await far().delete(vbert: name) }
  func publish(
    _ list: [NextVersion]
  ) async throws(Error) -> [Result<VersionRecord, RegistryError>] {
    try await far().publish(list)
  }
  func rollback(vbert name: Name, to number: Int) async throws(Error) {
    try await far().rollback(vbert: name, to: number)
  }
  func versions(of name: Name) async throws(Error) -> [VersionRecord] {
    try await far().versions(of: name)
  }
  func version(_ id: VersionID) async throws(Error) -> VersionRecord? {
    try await far().version(id)
  }
  func sampleVersions(_ count: Int) async throws(Error) -> [VersionRecord] {
    try await far().sampleVersions(count)
  }
  func blobs(prefix: String) async throws(Error) -> Set<String> {
    try await far().blobs(prefix: prefix)
  }
  func checkSoundness() async throws(Error) { try await far().checkSoundness() }
  func beginJobs(vberts names: [Name]) async throws(Error) -> [RunningJob] {
    try await far().beginJobs(vberts: names)
  }
  func note(_ progress: [(job: RunningJob, metrics: [String: Double])]) async throws(Error) {
    try await far().note(progress)
  }
  func fail(_ jobs: [RunningJob], _ why: String) async throws(Error) {
    try await far().fail(jobs, why)
  }
  func jobs(of name: Name?, limit: Int) async throws(Error) -> [JobRecord] {
    try await far().jobs(of: name, limit: limit)
  }
  func createTenant(_ name: Name, processor: VirtualProcessor) async throws(Error) -> String {
    try await far().createTenant(name, processor: processor)
  }
  func deleteTenant(_ name: Name, vberts: Bool) async throws(Error) {
    try await far().deleteTenant(name, vberts: vberts)
  }
  func tenant(forKey key: String) async throws(Error) -> TenantRecord? {
    try await far().tenant(forKey: key)
  }
  func tenant(_ id: Int64) async throws(Error) -> TenantRecord? { try await far().tenant(id) }
  func tenant(named name: Name) async throws(Error) -> TenantRecord {
    try await far().tenant(named: name)
  }
  func listTenants() async throws(Error) -> [TenantRecord] { try await far().listTenants() }
  func isClosed() async throws(Error) -> Bool { try await far().isClosed() }
  func set(isClosed: Bool) async throws(Error) { try await far().set(isClosed: isClosed) }
  func setting(_ setting: Setting) async throws(Error) -> String? {
    try await far().setting(setting)
  }
  func set(_ setting: Setting, to value: String?) async throws(Error) {
    try await far().set(setting, to: value)
  }
  func basesInUse() async throws(Error) -> [String] { try await far().basesInUse() }
  func firstVBert(onBase base: String) async throws(Error) -> String? {
    try await far().firstVBert(onBase: base)
  }
  func changes(since number: Int64) async throws(Error) -> RegistryChanges {
    try await far().changes(since: number)
  }
}

/// A blob's name that tells what a test calls it.
func blobName(_ text: String) -> String {
  let digits = text.utf8.map { String(Int($0) + 256, radix: 16).suffix(2) }.joined()
  return digits + String(repeating: "0", count: 32 - digits.count)
}
