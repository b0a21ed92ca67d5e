internal import Compute
internal import Foundation
internal import GRDB
internal import Model

/// What look-ups remember, so that the hot path asks SQLite one thing only: has anything changed?
///
/// A `CommitWatch` tells at once, and SQLite's data_version in some microseconds, whether another
/// connection (of any process) has committed since the last look; only then is the `changes` table read, and the names in it
/// are forgotten. So a change is seen by every look-up that begins after its commit, and costs one
/// query for each name that it touched, not a reload.
struct RegistryIndex: Sendable {
  var vberts: ClockCache<VBertName, VBertRecord>
  /// By hash of key.
  var keys: ClockCache<Data, KeyHolder>
  var tenants: ClockCache<Int64, TenantRecord>
  /// Whether requests need a key; nil before it was asked for.
  var isClosed: Bool?
  /// Look-ups of vBERTs that memory could not answer.
  var asked = 0
  /// Nothing was committed while this is the watch's mark.
  var mark: CommitWatch.Mark?
  private var dataVersion: Int64 = -1
  private var lastChange: Int64 = -1

  /// About what a tenant takes in memory; its name has 128 bytes at most.
  static let tenantBytes = 512

  /// `byteCount` bounds the vBERTs; keys and tenants get a quarter of it each on top.
  init(byteCount: Int) {
    vberts = ClockCache(bound: byteCount)
    keys = ClockCache(bound: byteCount / 4)
    tenants = ClockCache(bound: byteCount / 4)
  }

  mutating func catchUp(_ db: Database) throws {
    let statement = try db.cachedStatement(sql: "PRAGMA data_version")
    let version = try Int64.fetchOne(statement)
    guard let version, version != dataVersion else { return }
    let changes = try RegistryChanges(since: lastChange, db)
    if changes.isComplete {
      for name in changes.vberts { vberts.remove(name) }
    } else {
      vberts.removeAll()
    }
    if changes.tenants || !changes.isComplete { forgetTenants() }
    lastChange = changes.last
    dataVersion = version
  }

  private mutating func forgetTenants() {
    keys.removeAll()
    tenants.removeAll()
    isClosed = nil
  }

  /// Changes kept for look-ups to catch up by; who is further behind forgets everything.
  private static let logLength = 10_000

  /// Tells all look-ups that this vBERT (nil: the tenants) is no longer what they remember. Part of
  /// the transaction that changes it.
  static func note(change vbert: VBertName?, _ db: Database) throws {
    try db.execute(sql: "INSERT INTO changes (vbert) VALUES (?)", arguments: [vbert?.full])
    try db.execute(
      sql: "DELETE FROM changes WHERE number <= ?",
      arguments: [db.lastInsertedRowID - Int64(logLength)])
  }
}
