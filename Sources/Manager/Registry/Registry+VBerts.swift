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
    vbert name: Name, tenant: Name = TenantRecord.defaultName, spec: VBertSpec
  ) throws(RegistryError) -> VBertRecord {
    try create(vbert: name, tenant: tenant, spec: spec, first: .untrained(spec))
  }

  /// The same with a version 1 whose blob is on the disk already.
  @discardableResult
  package func create(
    vbert name: Name, tenant: Name, spec: VBertSpec, first: FirstVersion?
  ) throws(RegistryError) -> VBertRecord {
    return try write { db in
      guard
        try Row.fetchOne(db, sql: "SELECT 1 FROM vberts WHERE name = ?", arguments: [name.text])
          == nil
      else { throw RegistryError.vbertExists(name.text) }
      let owner = try Self.tenant(named: tenant, db)
      try db.execute(
        sql: "INSERT INTO vberts (name, tenant, spec, current, created) VALUES (?, ?, ?, 0, ?)",
        arguments: [name.text, owner.id, try JSONText.encode(spec), Date().timeIntervalSince1970])
      if let first {
        _ = try Self.publish(
          vbert: db.lastInsertedRowID, spec: spec, blob: first.blob, metrics: first.metrics,
          note: first.note, db)
      }
      try RegistryIndex.note(change: name, db)
      return try Self.vbert(named: name, db)
    }
  }

  /// The vBERT of this name, or nil when there is none or it belongs to a tenant other than the one
  /// given: both in the same way and time, by a query that finds nothing and that nothing remembers.
  /// From memory once it was found (a few microseconds), and never older than the last change that
  /// any process has committed.
  package func find(_ name: Name, tenant: Int64? = nil) throws(RegistryError) -> VBertRecord? {
    try look { index -> VBertRecord?? in
      let known = index.vberts.value(for: name)
      // Another tenant's is as unknown as nobody's.
      guard let known, tenant == nil || known.tenant == tenant else { return nil }
      return .some(known)
    } ask: { index, db -> VBertRecord? in
      index.asked += 1
      let found =
        if let tenant {
          try Row.fetchOne(
            db.cachedStatement(sql: Self.vbertsOfTenant), arguments: [tenant, name.text])
        } else {
          try Row.fetchOne(
            db.cachedStatement(sql: Self.vberts + " WHERE v.name = ?"), arguments: [name.text])
        }
      guard let record = try found.map(VBertRecord.init) else { return nil }
      _ = index.vberts.insert(record, for: name, cost: record.byteCount)
      return record
    }
  }

  /// `find` that throws `noVBERT` instead.
  package func vbert(_ name: Name) throws(RegistryError) -> VBertRecord {
    guard let found = try find(name) else { throw .noVBERT(name.text) }
    return found
  }

  /// In the order of names, those after `after` that start with `prefix`; all tenants' unless one is
  /// given. O(limit log n), where a tenant is given O(its vBERTs).
  package func list(
    prefix: String = "", tenant: Int64? = nil, after: Name? = nil, limit: Int = 1000
  ) throws(RegistryError) -> [VBertRecord] {
    // No name starts with what no name can hold, nor does SQLite read past a NUL.
    guard prefix.isEmpty || Name.isValid(prefix) else { return [] }
    return try read { db in
      // Names are ASCII, so everything that starts with the prefix sorts before prefix + DEL.
      let ofTenant = tenant == nil ? "" : " AND v.tenant = ?"
      let statement = try db.cachedStatement(
        sql: Self.vberts
          + " WHERE v.name >= ? AND v.name < ? AND v.name > ?\(ofTenant) ORDER BY v.name LIMIT ?")
      var arguments: StatementArguments = [prefix, prefix + "\u{7F}", after?.text ?? ""]
      if let tenant { arguments += [tenant] }
      arguments += [max(0, limit)]
      return try Row.fetchAll(statement, arguments: arguments).map(VBertRecord.init)
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

  /// Removes the vBERT with its versions and jobs; its blobs are orphans from then on. Throws
  /// `noVBERT`.
  package func delete(vbert name: Name) throws(RegistryError) {
    try write { db in try Self.delete(name, db) }
  }

  static func delete(_ name: Name, _ db: Database) throws {
    try db.execute(sql: "DELETE FROM vberts WHERE name = ?", arguments: [name.text])
    guard db.changesCount > 0 else { throw RegistryError.noVBERT(name.text) }
    try RegistryIndex.note(change: name, db)
  }

  static func vbert(named name: Name, _ db: Database) throws -> VBertRecord {
    let row = try Row.fetchOne(db, sql: vberts + " WHERE v.name = ?", arguments: [name.text])
    guard let row else { throw RegistryError.noVBERT(name.text) }
    return try VBertRecord(row)
  }

  /// The current version's specification is the one that holds.
  private static let vberts = select(from: "vberts v")
  /// Through that index alone: the unique one of names leads to rows of others.
  private static let vbertsOfTenant =
    select(from: "vberts v INDEXED BY vbertsByTenantAndName") + " WHERE v.tenant = ? AND v.name = ?"

  private static func select(from vberts: String) -> String {
    """
    SELECT v.id, v.name, v.tenant, COALESCE(n.spec, v.spec) AS spec, v.current, v.created
    FROM \(vberts) LEFT JOIN versions n ON n.vbert = v.id AND n.number = v.current
    """
  }
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
    spec.labels.reduce(512 + name.text.utf8.count + spec.baseHash.utf8.count) {
      $0 + MemoryLayout<String>.stride + ($1.utf8.count > 15 ? $1.utf8.count + 32 : 0)
    }
  }

  fileprivate init(_ row: Row) throws {
    let table = "vberts"
    let id: Int64 = try row.column("id", of: table)
    let current: Int = try row.column("current", of: table)
    self.init(
      id: id, name: try row.name("name", of: table), tenant: try row.column("tenant", of: table),
      spec: try row.json("spec", of: table),
      version: current == 0 ? nil : VersionID(vbert: id, number: current),
      created: try row.date("created", of: table))
  }
}
