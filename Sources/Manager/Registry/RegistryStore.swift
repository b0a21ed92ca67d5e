package import Foundation
package import Model

/// Who there is (tenants), what they have (vBERTs and their versions) and what is being made (jobs), at
/// the level of records, wherever they are kept: `Registry` keeps them in a file of the home.
///
/// What a call returns from is safe against kill -9 and a power cut. A look-up that begins after a
/// change has returned sees it, whichever process made it. Any thread may call. Everything throws
/// `RegistryError`; what throws has changed nothing.
///
/// `async`, since a registry may be a network away. One that is not answers without giving up its thread.
package protocol RegistryStore: FineTuningStore, BatchStore {
  /// Registers a vBERT, with its version 1 where there is one. Throws `vbertExists`, `noTenant`, `overQuota`.
  @discardableResult
  func create(
    vbert name: VBertName, spec: VBertSpec, first: FirstVersion?
  ) async throws(RegistryError) -> VBertRecord

  /// The vBERT of this name, or nil. The hot path: microseconds for what was found before.
  func find(_ name: VBertName) async throws(RegistryError) -> VBertRecord?

  /// `find` that throws `noVBERT` instead, which says whose are those of the same name.
  func vbert(_ name: VBertName) async throws(RegistryError) -> VBertRecord

  /// By tenant and name, those after `after` whose names start with `prefix`; all tenants' unless one is
  /// given.
  func list(
    prefix: String, tenant: Name?, after: VBertName?, limit: Int
  ) async throws(RegistryError) -> [VBertRecord]

  func countVBERTs() async throws(RegistryError) -> Int

  /// Removes the vBERT with its versions and jobs; its blobs are orphans from then on. Throws
  /// `noVBERT`.
  func delete(vbert name: VBertName) async throws(RegistryError)

  /// Makes these each vBERT's next version, the one that answers from now on, all in one go, and ends
  /// their jobs. Blobs must be stored already (`AdapterStore.publish` sees to it). Numbers count up from
  /// 1 and are not given twice, rollbacks or not. One whose vBERT is gone, or whose tenant has no room, is its own failure
  /// (`noVBERT`, `overQuota`).
  func publish(
    _ list: [NextVersion]
  ) async throws(RegistryError) -> [Result<VersionRecord, RegistryError>]

  /// Makes an older (or, after a rollback, a newer) version answer. Throws `noVBERT`, `noVersion`.
  func rollback(vbert name: VBertName, to number: Int) async throws(RegistryError)

  /// All versions, the oldest first. Throws `noVBERT`.
  func versions(of name: VBertName) async throws(RegistryError) -> [VersionRecord]

  /// nil when the version, or its vBERT, is gone.
  func version(_ id: VersionID) async throws(RegistryError) -> VersionRecord?

  /// Current versions that have a blob, from a random place on; fewer than `count` only where there
  /// are no more; damaged ones are left out.
  func sampleVersions(_ count: Int) async throws(RegistryError) -> [VersionRecord]

  /// The names of those blobs that some version has, among the names that start with `prefix`.
  func blobs(prefix: String) async throws(RegistryError) -> Set<String>

  /// Throws `storage` where what is read may be less than was written: blobs must not be collected on
  /// such a registry's word.
  func checkSoundness() async throws(RegistryError)

  /// A job for each of these vBERTs, which this process runs together. Throws `noVBERT`; then there is
  /// none. Jobs whose process died are ended as failed, at the latest when the registry is next opened.
  /// `fineTunings`: the numbers of those that they are run for, in the same order; what is published ends
  /// them.
  func beginJobs(
    vberts names: [VBertName], for fineTunings: [Int64?]
  ) async throws(RegistryError) -> [RunningJob]

  /// Writes down how far jobs are; not more than about once a second. Throws `busy` at once where
  /// another has the lock for changes: work goes on.
  func note(
    _ progress: [(job: RunningJob, metrics: [String: Double])]
  ) async throws(RegistryError)

  /// Ends them without a version; with one, `publish` ends it.
  func fail(_ jobs: [RunningJob], _ why: String) async throws(RegistryError)

  /// The newest first; of all vBERTs unless one is named. Throws `noVBERT`.
  func jobs(of name: VBertName?, limit: Int) async throws(RegistryError) -> [JobRecord]

  /// With its first key, for everything inside the tenant; the home is closed by it. Returns the key, which
  /// exists nowhere else from now on. Throws
  /// `tenantExists`.
  func createTenant(
    _ name: Name, processor: VirtualProcessor
  ) async throws(RegistryError) -> String

  /// What it may use from now on; what it has beyond that stays. Throws `noTenant`.
  func set(processor: VirtualProcessor, of name: Name) async throws(RegistryError)

  /// Removes the tenant and its keys; with `vberts` all that it owns, too. Throws `noTenant`,
  /// `defaultTenant`, `tenantHasVBERTs`.
  func deleteTenant(_ name: Name, vberts: Bool) async throws(RegistryError)

  /// A key for this tenant, which asks `vbert` where a request names none; the home is closed by it. Throws
  /// `noTenant`, `keyExists`, `noVBERT`.
  func createKey(
    _ label: Name, tenant: Name, scopes: Scopes, expires: Date?, vbert: VBertName?
  ) async throws(RegistryError) -> NewKey

  /// By tenant and label; of one tenant where it is named, its labels after `after`.
  func keys(of tenant: Name?, after: Name?, limit: Int) async throws(RegistryError) -> [KeyRecord]

  /// It is worth nothing from now on; a closed home stays closed. Throws `noTenant`, `noKey`.
  func revokeKey(_ label: Name, tenant: Name) async throws(RegistryError)

  /// A new key in the place of one: its label, scopes, expiry and the vBERT that it asks. The old one is worth something until
  /// `end`, as `label.n`. Throws `noTenant`, `noKey`.
  func rotateKey(
    _ label: Name, tenant: Name, oldUntil end: Date
  ) async throws(RegistryError) -> NewKey

  /// Whose key this is; nil for nobody's. Whether it has expired is for whoever asks, who knows the time.
  func holder(ofKey secret: String) async throws(RegistryError) -> KeyHolder?

  /// Writes down when keys, by number, were last used; not more than about once a minute. Throws `busy` at
  /// once where another has the lock for changes.
  func note(uses: [Int64: Date]) async throws(RegistryError)

  /// Makes a vBERT another tenant's, with all its versions. Throws `noVBERT`, `noTenant`, `vbertExists`, and
  /// `overQuota` where that one has no room.
  func give(_ name: VBertName, to tenant: Name) async throws(RegistryError)

  /// nil for one that was deleted.
  func tenant(_ id: Int64) async throws(RegistryError) -> TenantRecord?

  /// Throws `noTenant`.
  func tenant(named name: Name) async throws(RegistryError) -> TenantRecord

  /// By name, those after `after`.
  func listTenants(after: Name?, limit: Int) async throws(RegistryError) -> [TenantRecord]

  /// Adds what tenants used on a day (`UsageRecord.day`); not more than about once a minute. Throws `busy` at
  /// once where another has the lock for changes; then nothing was added.
  func add(usage: [Name: Usage], day: Int) async throws(RegistryError)

  /// By day and tenant, of the days given; of one tenant where it is named. A tenant that was deleted keeps
  /// its days.
  func usage(
    of tenant: Name?, days: ClosedRange<Int>
  ) async throws(RegistryError) -> [UsageRecord]

  /// What was changed, by whom and when, the newest first; those before the one of that number; of one
  /// tenant where it is named. Every change is written down with it, by `Actor.current`; a year is kept.
  func audit(
    of tenant: Name?, before number: Int64?, limit: Int
  ) async throws(RegistryError) -> [AuditRecord]

  /// Whether requests need a key: from the first key on, whatever becomes of it, until
  /// `set(isClosed:)` says otherwise.
  func isClosed() async throws(RegistryError) -> Bool

  /// Opens the home to requests without a key, as tenant `default`, or closes it.
  func set(isClosed: Bool) async throws(RegistryError)

  func setting(_ setting: Setting) async throws(RegistryError) -> String?

  /// nil removes it.
  func set(_ setting: Setting, to value: String?) async throws(RegistryError)

  /// Names of the bases that registered vBERTs are on, in order.
  func basesInUse() async throws(RegistryError) -> [String]

  /// A vBERT one of whose versions stands on this base; nil if none does.
  func firstVBert(onBase base: String) async throws(RegistryError) -> VBertName?

  /// What was changed after the change of that number: what somebody who remembers must forget.
  /// Bounded: who is too far behind is told to forget everything.
  func changes(since number: Int64) async throws(RegistryError) -> RegistryChanges
}

extension RegistryStore {
  /// Registers a vBERT. It answers nothing until a version is published, but an embedder without
  /// adapter needs no training: it is given its version 1, without a blob, at once. Throws
  /// `vbertExists`, `noTenant`.
  @discardableResult
  package func create(
    vbert name: VBertName, spec: VBertSpec
  ) async throws(RegistryError) -> VBertRecord {
    try await create(vbert: name, spec: spec, first: .untrained(spec))
  }

  package func list(
    prefix: String = "", tenant: Name? = nil, after: VBertName? = nil
  ) async throws(RegistryError) -> [VBertRecord] {
    try await list(prefix: prefix, tenant: tenant, after: after, limit: 1000)
  }

  /// All tenants' vBERTs.
  package func list(
    prefix: String = "", after: VBertName? = nil, limit: Int
  ) async throws(RegistryError) -> [VBertRecord] {
    try await list(prefix: prefix, tenant: nil, after: after, limit: limit)
  }

  /// For no fine-tuning.
  package func beginJobs(vberts names: [VBertName]) async throws(RegistryError) -> [RunningJob] {
    try await beginJobs(vberts: names, for: [])
  }

  /// Of all vBERTs.
  package func jobs(limit: Int) async throws(RegistryError) -> [JobRecord] {
    try await jobs(of: nil, limit: limit)
  }

  /// The newest 100.
  package func jobs(of name: VBertName? = nil) async throws(RegistryError) -> [JobRecord] {
    try await jobs(of: name, limit: 100)
  }

  /// All keys of a tenant, or of everybody.
  package func keys(of tenant: Name? = nil) async throws(RegistryError) -> [KeyRecord] {
    try await keys(of: tenant, after: nil, limit: .max)
  }

  /// All of them.
  package func listTenants() async throws(RegistryError) -> [TenantRecord] {
    try await listTenants(after: nil, limit: .max)
  }

  package func createKey(
    _ label: Name, tenant: Name, scopes: Scopes, expires: Date?
  ) async throws(RegistryError) -> NewKey {
    try await createKey(label, tenant: tenant, scopes: scopes, expires: expires, vbert: nil)
  }

  package func createTenant(_ name: Name) async throws(RegistryError) -> String {
    try await createTenant(name, processor: .standard)
  }

  package func deleteTenant(_ name: Name) async throws(RegistryError) {
    try await deleteTenant(name, vberts: false)
  }
}
