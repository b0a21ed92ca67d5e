internal import Foundation
internal import GRDB
package import Model

extension Registry {
  /// Makes these parameters each vBERT's next version, the one that answers from now on, and ends its
  /// job, in one transaction. The blobs must be on the disk already (`AdapterStore.publish` sees to
  /// it). Numbers count up from 1 and are not given twice, rollbacks or not. One whose vBERT was deleted
  /// meanwhile is its own failure (`noVBERT`).
  package func publish(
    _ list: [NextVersion]
  ) throws(RegistryError) -> [Result<VersionRecord, RegistryError>] {
    guard !list.isEmpty else { return [] }
    let results = try write { db in
      try list.map { next -> Result<VersionRecord, RegistryError> in
        do { return .success(try Self.publish(next, db)) } catch let error as RegistryError {
          return .failure(error)
        }
      }
    }
    for (next, result) in zip(list, results) {
      if case .success = result { next.job?.leave() }
    }
    return results
  }

  /// Throws `noVBERT` before anything has changed.
  private static func publish(_ next: NextVersion, _ db: Database) throws -> VersionRecord {
    // It may have been given to another tenant since.
    let present = try Row.fetchOne(
      db,
      sql: """
        SELECT v.name, t.name AS tenantName FROM vberts v JOIN tenants t ON t.id = v.tenant
        WHERE v.id = ?
        """, arguments: [next.vbert])
    guard let name = try present?.vbertName(of: "vberts") else {
      throw RegistryError.noVBERT(next.name.text)
    }
    try checkRoom(for: next.blob?.byteCount ?? 0, tenant(named: name.tenant, db), db)
    let number = try publish(
      vbert: next.vbert, spec: next.spec, blob: next.blob, metrics: next.metrics,
      note: next.note, db)
    if let job = next.job {
      try end(job.id, as: .done, metrics: next.metrics, db)
      try succeed(job: job.id, next, version: number, tenant: name.tenant, db)
    }
    try audit(.publish, name, db, detail: "version \(number)")
    try RegistryIndex.note(change: name, db)
    return try version(VersionID(vbert: next.vbert, number: number), name: name, db)
  }

  /// Throws `overQuota` where the tenant's versions and files would be more bytes than it may have.
  /// O(its versions), where it has a limit.
  static func checkRoom(for bytes: Int, _ tenant: TenantRecord, _ db: Database) throws {
    guard let most = tenant.processor.limits.bytes, bytes > 0 else { return }
    let have = try Int.fetchOne(
      db,
      sql: """
        SELECT
          (SELECT COALESCE(SUM(n.bytes), 0) FROM vberts v JOIN versions n ON n.vbert = v.id
            WHERE v.tenant = ?)
          + (SELECT COALESCE(SUM(bytes), 0) FROM files WHERE tenant = ?)
        """, arguments: [tenant.id, tenant.id])
    guard (have ?? 0) + bytes <= most else {
      throw RegistryError.overQuota(
        tenant: tenant.name.text, limit: "stored bytes up to", most: most)
    }
  }

  static func publish(
    vbert: Int64, spec: VBertSpec, blob: BlobRecord?, metrics: [String: Double], note: String,
    _ db: Database
  ) throws -> Int {
    let last = try Int.fetchOne(
      db, sql: "SELECT MAX(number) FROM versions WHERE vbert = ?", arguments: [vbert])
    // Numbers count up one by one: the largest was put there by somebody else.
    guard let number = (last ?? 0).addingOne else {
      throw RegistryError.damaged(table: "versions", column: "number", why: "is \(Int.max)")
    }
    try db.execute(
      sql: """
        INSERT INTO versions (vbert, number, spec, blob, sha256, bytes, metrics, note, created)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        vbert, number, try JSONText.encode(spec), blob?.name, blob.map { Data($0.sha256) },
        blob?.byteCount ?? 0, try JSONText.encode(finite: metrics), note,
        Date().timeIntervalSince1970,
      ])
    try db.execute(
      sql: "UPDATE vberts SET current = ? WHERE id = ?", arguments: [number, vbert])
    return number
  }

  /// Makes an older (or, after a rollback, a newer) version answer. Throws `noVBERT`, `noVersion`.
  package func rollback(vbert name: VBertName, to number: Int) throws(RegistryError) {
    try write { db in
      let vbert = try Self.vbert(named: name, db)
      _ = try Self.version(VersionID(vbert: vbert.id, number: number), name: name, db)
      try db.execute(
        sql: "UPDATE vberts SET current = ? WHERE id = ?", arguments: [number, vbert.id])
      try Self.audit(.rollback, name, db, detail: "version \(number)")
      try RegistryIndex.note(change: name, db)
    }
  }

  /// All versions, the oldest first. Throws `noVBERT`.
  package func versions(of name: VBertName) throws(RegistryError) -> [VersionRecord] {
    try read { db in
      let vbert = try Self.vbert(named: name, db)
      return try Row.fetchAll(
        db, sql: Self.versions + " WHERE n.vbert = ? ORDER BY n.number", arguments: [vbert.id]
      ).map(VersionRecord.init)
    }
  }

  /// nil when the version, or its vBERT, is gone.
  package func version(_ id: VersionID) throws(RegistryError) -> VersionRecord? {
    try read { db in
      try Row.fetchOne(
        db.cachedStatement(sql: Self.versions + " WHERE n.vbert = ? AND n.number = ?"),
        arguments: [id.vbert, id.number]
      ).map(VersionRecord.init)
    }
  }

  /// The names of those blobs that some version has, among the names that start with `prefix`.
  package func blobs(prefix: String) throws(RegistryError) -> Set<String> {
    try read { db in
      try String.fetchSet(
        db, sql: "SELECT blob FROM versions WHERE blob >= ? AND blob < ?",
        arguments: [prefix, prefix + "\u{7F}"])
    }
  }

  static let versions: String =
    """
    SELECT n.*, v.name, t.name AS tenantName FROM versions n JOIN vberts v ON v.id = n.vbert
    JOIN tenants t ON t.id = v.tenant
    """

  private static func version(
    _ id: VersionID, name: VBertName, _ db: Database
  ) throws -> VersionRecord {
    let row = try Row.fetchOne(
      db, sql: versions + " WHERE n.vbert = ? AND n.number = ?",
      arguments: [id.vbert, id.number])
    if let row { return try VersionRecord(row) }
    let have = try Int.fetchAll(
      db, sql: "SELECT number FROM versions WHERE vbert = ? ORDER BY number", arguments: [id.vbert])
    throw RegistryError.noVersion(vbert: name.text, number: id.number, have: have)
  }
}

extension Int {
  /// nil where there is no larger number.
  fileprivate var addingOne: Int? { self == .max ? nil : self + 1 }
}

extension VersionRecord {
  init(_ row: Row) throws {
    let table = "versions"
    var blob: BlobRecord?
    if let name: String = try row.optional("blob", of: table) {
      // It becomes a path.
      guard BlobKey.isValid(name) else {
        throw RegistryError.damaged(table: table, column: "blob", why: "is no blob's name")
      }
      let hash: Data = try row.column("sha256", of: table)
      blob = BlobRecord(
        name: name, sha256: [UInt8](hash), byteCount: try row.column("bytes", of: table))
    }
    self.init(
      id: VersionID(
        vbert: try row.column("vbert", of: table), number: try row.column("number", of: table)),
      vbert: try row.vbertName(of: table), spec: try row.json("spec", of: table), blob: blob,
      metrics: try row.json("metrics", of: table), note: try row.column("note", of: table),
      created: try row.date("created", of: table))
  }
}
