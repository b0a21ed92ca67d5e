internal import Compute
internal import Foundation
internal import GRDB
package import Model

extension Registry {
  /// Registers a vBERT. It answers nothing until a version is published, but an embedder without
  /// adapter needs no training: it is given its version 1, without a blob, in the same transaction.
  /// Throws `vbertExists`, `noTenant`.
  @discardableResult
  package func create(
    vbert name: VBertName, spec: VBertSpec
  ) throws(RegistryError) -> VBertRecord {
    try create(vbert: name, spec: spec, first: .untrained(spec))
  }

  /// The same with a version 1 whose blob is on the disk already.
  @discardableResult
  package func create(
    vbert name: VBertName, spec: VBertSpec, first: FirstVersion?
  ) throws(RegistryError) -> VBertRecord {
    try write { db in try Self.create(vbert: name, spec: spec, first: first, db) }
  }

  static func create(
    vbert name: VBertName, spec: VBertSpec, first: FirstVersion?, _ db: Database
  ) throws -> VBertRecord {
    let owner = try Self.tenant(named: name.tenant, db)
    guard try Self.find(name, db) == nil else { throw RegistryError.vbertExists(name.text) }
    try checkCount(owner, db)
    try Self.checkRoom(for: first?.blob?.byteCount ?? 0, owner, db)
    try db.execute(
      sql: "INSERT INTO vberts (name, tenant, spec, current, created) VALUES (?, ?, ?, 0, ?)",
      arguments: [
        name.name.text, owner.id, try JSONText.encode(spec), Date().timeIntervalSince1970,
      ])
    if let first {
      _ = try Self.publish(
        vbert: db.lastInsertedRowID, spec: spec, blob: first.blob, metrics: first.metrics,
        note: first.note, db)
    }
    try Self.audit(.create, name, db, detail: spec.task.rawValue)
    try RegistryIndex.note(change: name, db)
    return try Self.vbert(named: name, db)
  }

  /// Throws `overQuota` where one more would be more than the tenant may have.
  private static func checkCount(_ owner: TenantRecord, _ db: Database) throws {
    guard let most = owner.processor.limits.vberts else { return }
    let have = try Int.fetchOne(
      db, sql: "SELECT COUNT(*) FROM vberts WHERE tenant = ?", arguments: [owner.id])
    if (have ?? 0) + 1 > most {
      throw RegistryError.overQuota(tenant: owner.name.text, limit: "vBERTs up to", most: most)
    }
  }

  /// The vBERT of this name, or nil: a tenant that is not there has none, and another's is as unknown as
  /// nobody's, both by a query that finds nothing and that nothing remembers. From memory once it was
  /// found (a few microseconds), and never older than the last change that any process has committed.
  package func find(_ name: VBertName) throws(RegistryError) -> VBertRecord? {
    try look { index -> VBertRecord?? in
      index.vberts.value(for: name).map(Optional.some)
    } ask: { index, db -> VBertRecord? in
      index.asked += 1
      guard let record = try Self.find(name, db) else { return nil }
      _ = index.vberts.insert(record, for: name, cost: record.byteCount)
      return record
    }
  }

  /// `find` that throws `noVBERT` instead.
  package func vbert(_ name: VBertName) throws(RegistryError) -> VBertRecord {
    if let found = try find(name) { return found }
    throw try read { db in try Self.unknown(name, db) }
  }

  /// Says whose they are, where others have vBERTs of that name: for the operator.
  private static func unknown(_ name: VBertName, _ db: Database) throws -> RegistryError {
    let owners = try String.fetchAll(
      db,
      sql: """
        SELECT t.name FROM tenants t JOIN vberts v ON v.tenant = t.id AND v.name = ?
        ORDER BY t.name LIMIT 4
        """, arguments: [name.name.text])
    return .noVBERT(name.text, others: owners.map { "\($0)/\(name.name)" })
  }

  /// By tenant and name, those after `after` whose names start with `prefix`; all tenants' unless one is
  /// given. O(limit log n) of a tenant, else O(vBERTs) where `prefix` leaves most out.
  package func list(
    prefix: String = "", tenant: Name? = nil, after: VBertName? = nil, limit: Int = 1000
  ) throws(RegistryError) -> [VBertRecord] {
    // No name starts with what no name can hold, nor does SQLite read past a NUL.
    guard prefix.isEmpty || Name.isValid(prefix) else { return [] }
    return try read { db in
      // Names are ASCII, so everything that starts with the prefix sorts before prefix + DEL.
      var (conditions, arguments) = (["v.name >= ?", "v.name < ?"], [prefix, prefix + "\u{7F}"])
      if let tenant {
        conditions.append("t.name = ?")
        arguments.append(tenant.text)
      }
      if let after {
        conditions.append("(t.name, v.name) > (?, ?)")
        arguments += [after.tenant.text, after.name.text]
      }
      let statement = try db.cachedStatement(
        sql: Self.vberts + " WHERE \(conditions.joined(separator: " AND "))"
          + " ORDER BY t.name, v.name LIMIT \(max(0, limit))")
      return try Row.fetchAll(statement, arguments: StatementArguments(arguments))
        .map(VBertRecord.init)
    }
  }

  package func countVBERTs() throws(RegistryError) -> Int {
    try read { db in try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM vberts") ?? 0 }
  }

  /// Names of the bases that registered vBERTs are on. O(vBERTs), some 10 ms for 10,000.
  package func basesInUse() throws(RegistryError) -> [String] {
    try read { db in
      try String.fetchAll(
        db, sql: "SELECT DISTINCT json_extract(spec, '$.base') AS base FROM vberts ORDER BY base")
    }
  }

  /// Makes a vBERT another tenant's, with all its versions. Throws `noVBERT`, `noTenant`, `vbertExists`, and
  /// `overQuota` where that one has no room.
  package func give(_ name: VBertName, to tenant: Name) throws(RegistryError) {
    try write { db in
      let vbert = try Self.vbert(named: name, db)
      let owner = try Self.tenant(named: tenant, db)
      let new = VBertName(name.name, of: tenant)
      if new == name { return }
      guard try Self.find(new, db) == nil else { throw RegistryError.vbertExists(new.text) }
      try Self.checkCount(owner, db)
      let bytes = try Int.fetchOne(
        db, sql: "SELECT COALESCE(SUM(bytes), 0) FROM versions WHERE vbert = ?",
        arguments: [vbert.id])
      try Self.checkRoom(for: bytes ?? 0, owner, db)
      try db.execute(
        sql: "UPDATE vberts SET tenant = ? WHERE id = ?", arguments: [owner.id, vbert.id])
      try Self.audit(.give, name, db, detail: "to \(tenant)")
      try Self.audit(.give, new, db, detail: "from \(name.tenant)")
      for changed in [name, new] { try RegistryIndex.note(change: changed, db) }
    }
  }

  /// Removes the vBERT with its versions and jobs; its blobs are orphans from then on. Throws
  /// `noVBERT`.
  package func delete(vbert name: VBertName) throws(RegistryError) {
    try write { db in try Self.delete(name, db) }
  }

  static func delete(_ name: VBertName, _ db: Database) throws {
    let vbert = try Self.vbert(named: name, db)
    try db.execute(sql: "DELETE FROM vberts WHERE id = ?", arguments: [vbert.id])
    try audit(.delete, name, db)
    try RegistryIndex.note(change: name, db)
  }

  /// Throws `noVBERT`.
  static func vbert(named name: VBertName, _ db: Database) throws -> VBertRecord {
    guard let found = try find(name, db) else { throw try unknown(name, db) }
    return found
  }

  private static func find(_ name: VBertName, _ db: Database) throws -> VBertRecord? {
    try Row.fetchOne(
      db.cachedStatement(sql: vberts + " WHERE t.name = ? AND v.name = ?"),
      arguments: [name.tenant.text, name.name.text]
    ).map(VBertRecord.init)
  }

  /// The current version's specification is the one that holds.
  private static let vberts = """
    SELECT v.id, v.name, t.name AS tenantName, v.tenant, COALESCE(n.spec, v.spec) AS spec,
      v.current, v.created
    FROM tenants t CROSS JOIN vberts v ON v.tenant = t.id
    LEFT JOIN versions n ON n.vbert = v.id AND n.number = v.current
    """
}

extension VBertSpec {
  /// Whether there is anything to train and to store.
  package var hasParameters: Bool {
    task.outputs(labels: max(1, labels.count)) > 0 || adapter != .none
  }
}

extension VBertRecord {
  /// About what it takes in memory: labels are what makes it large.
  fileprivate var byteCount: Int {
    spec.labels.reduce(512 + name.full.utf8.count + spec.baseHash.utf8.count) {
      $0 + MemoryLayout<String>.stride + ($1.utf8.count > 15 ? $1.utf8.count + 32 : 0)
    }
  }

  fileprivate init(_ row: Row) throws {
    let table = "vberts"
    let id: Int64 = try row.column("id", of: table)
    let current: Int = try row.column("current", of: table)
    self.init(
      id: id, name: try row.vbertName(of: table), tenant: try row.column("tenant", of: table),
      spec: try row.json("spec", of: table),
      version: current == 0 ? nil : VersionID(vbert: id, number: current),
      created: try row.date("created", of: table))
  }
}
