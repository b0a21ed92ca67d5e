import Foundation
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
    vbert name: VBertName, spec: VBertSpec, first: FirstVersion?
  ) async throws(Error) -> VBertRecord {
    try await far().create(vbert: name, spec: spec, first: first)
  }
  func find(_ name: VBertName) async throws(Error) -> VBertRecord? { try await far().find(name) }
  func vbert(_ name: VBertName) async throws(Error) -> VBertRecord { try await far().vbert(name) }
  func list(
    prefix: String, tenant: Name?, after: VBertName?, limit: Int
  ) async throws(Error) -> [VBertRecord] {
    try await far().list(prefix: prefix, tenant: tenant, after: after, limit: limit)
  }
  func countVBERTs() async throws(Error) -> Int { try await far().countVBERTs() }
  func delete(vbert name: VBertName) async throws(Error) { try await far().delete(vbert: name) }
  func publish(
    _ list: [NextVersion]
  ) async throws(Error) -> [Result<VersionRecord, RegistryError>] {
    try await far().publish(list)
  }
  func rollback(vbert name: VBertName, to number: Int) async throws(Error) {
    try await far().rollback(vbert: name, to: number)
  }
  func versions(of name: VBertName) async throws(Error) -> [VersionRecord] {
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
  func beginJobs(
    vberts names: [VBertName], for fineTunings: [Int64?]
  ) async throws(Error) -> [RunningJob] {
    try await far().beginJobs(vberts: names, for: fineTunings)
  }
  func note(_ progress: [(job: RunningJob, metrics: [String: Double])]) async throws(Error) {
    try await far().note(progress)
  }
  func fail(_ jobs: [RunningJob], _ why: String) async throws(Error) {
    try await far().fail(jobs, why)
  }
  func jobs(of name: VBertName?, limit: Int) async throws(Error) -> [JobRecord] {
    try await far().jobs(of: name, limit: limit)
  }
  func createTenant(_ name: Name, processor: VirtualProcessor) async throws(Error) -> String {
    try await far().createTenant(name, processor: processor)
  }
  func set(processor: VirtualProcessor, of name: Name) async throws(Error) {
    try await far().set(processor: processor, of: name)
  }
  func deleteTenant(_ name: Name, vberts: Bool) async throws(Error) {
    try await far().deleteTenant(name, vberts: vberts)
  }
  func createKey(
    _ label: Name, tenant: Name, scopes: Scopes, expires: Date?, vbert: VBertName?
  ) async throws(Error) -> NewKey {
    try await far().createKey(
      label, tenant: tenant, scopes: scopes, expires: expires, vbert: vbert)
  }
  func keys(of tenant: Name?, after: Name?, limit: Int) async throws(Error) -> [KeyRecord] {
    try await far().keys(of: tenant, after: after, limit: limit)
  }
  func revokeKey(_ label: Name, tenant: Name) async throws(Error) {
    try await far().revokeKey(label, tenant: tenant)
  }
  func rotateKey(_ label: Name, tenant: Name, oldUntil end: Date) async throws(Error) -> NewKey {
    try await far().rotateKey(label, tenant: tenant, oldUntil: end)
  }
  func holder(ofKey secret: String) async throws(Error) -> KeyHolder? {
    try await far().holder(ofKey: secret)
  }
  func note(uses: [Int64: Date]) async throws(Error) { try await far().note(uses: uses) }
  func give(_ name: VBertName, to tenant: Name) async throws(Error) {
    try await far().give(name, to: tenant)
  }
  func tenant(_ id: Int64) async throws(Error) -> TenantRecord? { try await far().tenant(id) }
  func tenant(named name: Name) async throws(Error) -> TenantRecord {
    try await far().tenant(named: name)
  }
  func listTenants(after: Name?, limit: Int) async throws(Error) -> [TenantRecord] {
    try await far().listTenants(after: after, limit: limit)
  }
  func add(usage: [Name: Usage], day: Int) async throws(Error) {
    try await far().add(usage: usage, day: day)
  }
  func usage(of tenant: Name?, days: ClosedRange<Int>) async throws(Error) -> [UsageRecord] {
    try await far().usage(of: tenant, days: days)
  }
  func audit(
    of tenant: Name?, before number: Int64?, limit: Int
  ) async throws(Error) -> [AuditRecord] {
    try await far().audit(of: tenant, before: number, limit: limit)
  }
  func isClosed() async throws(Error) -> Bool { try await far().isClosed() }
  func set(isClosed: Bool) async throws(Error) { try await far().set(isClosed: isClosed) }
  func setting(_ setting: Setting) async throws(Error) -> String? {
    try await far().setting(setting)
  }
  func set(_ setting: Setting, to value: String?) async throws(Error) {
    try await far().set(setting, to: value)
  }
  func basesInUse() async throws(Error) -> [String] { try await far().basesInUse() }
  func firstVBert(onBase base: String) async throws(Error) -> VBertName? {
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

extension DistantRegistry {
  func create(file: FileRecord) async throws(Error) { try await far().create(file: file) }
  func file(_ id: String, of tenant: Name?) async throws(Error) -> FileRecord? {
    try await far().file(id, of: tenant)
  }
  func files(
    of tenant: Name?, for purpose: FilePurpose?, after id: String?, limit: Int
  ) async throws(Error) -> [FileRecord] {
    try await far().files(of: tenant, for: purpose, after: id, limit: limit)
  }
  func delete(file id: String, of tenant: Name?) async throws(Error) {
    try await far().delete(file: id, of: tenant)
  }
  func known(files ids: [String]) async throws(Error) -> Set<String> {
    try await far().known(files: ids)
  }
  func create(_ new: NewFineTuning) async throws(Error) -> FineTuningRecord {
    try await far().create(new)
  }
  func create(_ new: NewBatch) async throws(Error) -> BatchRecord { try await far().create(new) }
  func batch(_ id: String, of tenant: Name?) async throws(Error) -> BatchRecord? {
    try await far().batch(id, of: tenant)
  }
  func batches(
    of tenant: Name?, after id: String?, limit: Int
  ) async throws(Error) -> [BatchRecord] {
    try await far().batches(of: tenant, after: id, limit: limit)
  }
  func cancel(batch id: String, of tenant: Name?) async throws(Error) -> BatchRecord {
    try await far().cancel(batch: id, of: tenant)
  }
  func nextBatch() async throws(Error) -> BatchRecord? { try await far().nextBatch() }
  func note(_ progress: BatchProgress, of number: Int64) async throws(Error) -> BatchState {
    try await far().note(progress, of: number)
  }
  func end(
    batch number: Int64, as state: BatchState, error: String?, _ progress: BatchProgress,
    files: [FileRecord]
  ) async throws(Error) {
    try await far().end(batch: number, as: state, error: error, progress, files: files)
  }
  func fineTuning(_ id: String, of tenant: Name?) async throws(Error) -> FineTuningRecord? {
    try await far().fineTuning(id, of: tenant)
  }
  func fineTunings(
    of tenant: Name?, after id: String?, limit: Int
  ) async throws(Error) -> [FineTuningRecord] {
    try await far().fineTunings(of: tenant, after: id, limit: limit)
  }
  func change(
    fineTuning id: String, of tenant: Name?, _ change: FineTuningChange
  ) async throws(Error) -> FineTuningRecord {
    try await far().change(fineTuning: id, of: tenant, change)
  }
  func isFineTuningQueued() async throws(Error) -> Bool { try await far().isFineTuningQueued() }
  func claimFineTuning() async throws(Error) -> ClaimedFineTuning? {
    try await far().claimFineTuning()
  }
  func end(
    _ claimed: ClaimedFineTuning, as state: FineTuningState, error: String?
  ) async throws(Error) { try await far().end(claimed, as: state, error: error) }
  func note(_ events: [FineTuningEvent], of number: Int64, tokens: Int?) async throws(Error) {
    try await far().note(events, of: number, tokens: tokens)
  }
  func events(
    of number: Int64, after event: Int64, limit: Int
  ) async throws(Error) -> [FineTuningEvent] {
    try await far().events(of: number, after: event, limit: limit)
  }
}
