package import Model

/// Who there is (tenants), what they have (vBERTs and their versions) and what is being made (jobs), at
/// the level of records, wherever they are kept: `Registry` keeps them in a file of the home.
///
/// What a call returns from is safe against kill -9 and a power cut. A look-up that begins after a
/// change has returned sees it, whichever process made it. Any thread may call. Everything throws
/// `RegistryError`; what throws has changed nothing.
///
/// `async`, since a registry may be a network away. One that is not answers without giving up its thread.
package protocol RegistryStore: Sendable {
  /// Registers a vBERT, with its version 1 where there is one. Throws `vbertExists`, `noTenant`.
  @discardableResult
  func create(
    vbert name: Name, tenant: Name, spec: VBertSpec, first: FirstVersion?
  ) async throws(RegistryError) -> VBertRecord

  /// The vBERT of this name, or nil when there is none or it belongs to a tenant other than the one
  /// given: both in the same way and time. The hot path: microseconds for what was found before.
  func find(_ name: Name, tenant: Int64?) async throws(RegistryError) -> VBertRecord?

  /// In the order of names, those after `after` that start with `prefix`; all tenants' unless one is
  /// given.
  func list(
    prefix: String, tenant: Int64?, after: Name?, limit: Int
  ) async throws(RegistryError) -> [VBertRecord]

  func countVBERTs() async throws(RegistryError) -> Int

  /// Removes the vBERT with its versions and jobs; its blobs are orphans from then on. Throws
  /// `noVBERT`.
  func delete(vbert name: Name) async throws(RegistryError)

  /// Makes these each vBERT's next version, the one that answers from now on, all in one go, and ends
  /// their jobs. Blobs must be stored already (`AdapterStore.publish` sees to it). Numbers count up from
  /// 1 and are not given twice, rollbacks or not. One whose vBERT is gone is its own failure (`noVBERT`).
  func publish(
    _ list: [NextVersion]
  ) async throws(RegistryError) -> [Result<VersionRecord, RegistryError>]

  /// Makes an older (or, after a rollback, a newer) version answer. Throws `noVBERT`, `noVersion`.
  func rollback(vbert name: Name, to number: Int) async throws(RegistryError)

  /// All versions, the oldest first. Throws `noVBERT`.
  func versions(of name: Name) async throws(RegistryError) -> [VersionRecord]

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
  func beginJobs(vberts names: [Name]) async throws(RegistryError) -> [RunningJob]

  /// Writes down how far jobs are; not more than about once a second. Throws `busy` at once where
  /// another has the lock for changes: work goes on.
  func note(
    _ progress: [(job: RunningJob, metrics: [String: Double])]
  ) async throws(RegistryError)

  /// Ends them without a version; with one, `publish` ends it.
  func fail(_ jobs: [RunningJob], _ why: String) async throws(RegistryError)

  /// The newest first; of all vBERTs unless one is named. Throws `noVBERT`.
  func jobs(of name: Name?, limit: Int) async throws(RegistryError) -> [JobRecord]

  /// Returns the tenant's key, which exists nowhere else from now on; the home is closed by it. Throws
  /// `tenantExists`.
  func createTenant(
    _ name: Name, processor: VirtualProcessor
  ) async throws(RegistryError) -> String

  /// Removes the tenant and its key; with `vberts` all that it owns, too. Throws `noTenant`,
  /// `defaultTenant`, `tenantHasVBERTs`.
  func deleteTenant(_ name: Name, vberts: Bool) async throws(RegistryError)

  /// Whose key this is; nil for nobody's.
  func tenant(forKey key: String) async throws(RegistryError) -> TenantRecord?

  /// nil for one that was deleted.
  func tenant(_ id: Int64) async throws(RegistryError) -> TenantRecord?

  /// Throws `noTenant`.
  func tenant(named name: Name) async throws(RegistryError) -> TenantRecord

  /// All of them, by name.
  func listTenants() async throws(RegistryError) -> [TenantRecord]

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
  func firstVBert(onBase base: String) async throws(RegistryError) -> String?

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
    vbert name: Name, tenant: Name = TenantRecord.defaultName, spec: VBertSpec
  ) async throws(RegistryError) -> VBertRecord {
    try await create(vbert: name, tenant: tenant, spec: spec, first: .untrained(spec))
  }

  /// Of whichever tenant.
  package func find(_ name: Name) async throws(RegistryError) -> VBertRecord? {
    try await find(name, tenant: nil)
  }

  /// `find` that throws `noVBERT` instead.
  package func vbert(_ name: Name) async throws(RegistryError) -> VBertRecord {
    guard let found = try await find(name, tenant: nil) else { throw .noVBERT(name.text) }
    return found
  }

  package func list(
    prefix: String = "", tenant: Int64? = nil, after: Name? = nil
  ) async throws(RegistryError) -> [VBertRecord] {
    try await list(prefix: prefix, tenant: tenant, after: after, limit: 1000)
  }

  /// All tenants' vBERTs.
  package func list(
    prefix: String = "", after: Name? = nil, limit: Int
  ) async throws(RegistryError) -> [VBertRecord] {
    try await list(prefix: prefix, tenant: nil, after: after, limit: limit)
  }

  /// Of all vBERTs.
  package func jobs(limit: Int) async throws(RegistryError) -> [JobRecord] {
    try await jobs(of: nil, limit: limit)
  }

  /// The newest 100.
  package func jobs(of name: Name? = nil) async throws(RegistryError) -> [JobRecord] {
    try await jobs(of: name, limit: 100)
  }

  package func createTenant(_ name: Name) async throws(RegistryError) -> String {
    try await createTenant(name, processor: .standard)
  }

  package func deleteTenant(_ name: Name) async throws(RegistryError) {
    try await deleteTenant(name, vberts: false)
  }
}
