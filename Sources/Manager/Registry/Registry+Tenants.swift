internal import Compute
internal import Foundation
internal import GRDB
package import Model

extension Registry {
  /// With its first key, for everything inside the tenant; the home is closed by it. Returns the key, which
  /// exists nowhere else from now on. Throws
  /// `tenantExists`.
  package func createTenant(
    _ name: Name, processor: VirtualProcessor = .standard
  ) throws(RegistryError) -> String {
    try write { db in
      guard
        try Row.fetchOne(db, sql: "SELECT 1 FROM tenants WHERE name = ?", arguments: [name.text])
          == nil
      else { throw RegistryError.tenantExists(name.text) }
      try db.execute(
        sql: "INSERT INTO tenants (name, weight, quota, created) VALUES (?, ?, ?, ?)",
        arguments: [
          name.text, processor.weight, try JSONText.encode(processor.limits),
          Date().timeIntervalSince1970,
        ])
      let id = db.lastInsertedRowID
      try Self.audit(.createTenant, name, name.text, db)
      let key = try Self.createKey(.first, id, scopes: .standard, expires: nil, db)
      try Self.audit(.createKey, name, Name.first.text, db, detail: Scopes.standard.description)
      return key.secret
    }
  }

  /// Whether requests need a key. A home is open until its first key, and closed from then on,
  /// whatever becomes of the key; only `set(isClosed:)` opens it again. From memory once it was asked
  /// for. Anything but `open` in the setting is closed.
  package func isClosed() throws(RegistryError) -> Bool {
    try look {
      $0.isClosed
    } ask: { index, db in
      let isClosed = try Self.setting(Self.accessKey, db) != "open"
      index.isClosed = isClosed
      return isClosed
    }
  }

  /// Opens the home to requests without a key, as tenant `default`, or closes it.
  package func set(isClosed: Bool) throws(RegistryError) {
    try write { db in try Self.set(isClosed: isClosed, db) }
  }

  private static let accessKey: String = "access"

  static func close(_ db: Database) throws { try set(isClosed: true, db) }

  private static func set(isClosed: Bool, _ db: Database) throws {
    if try (setting(accessKey, db) != "open") != isClosed {
      try audit(isClosed ? .closeHome : .openHome, nil, "access", db)
    }
    try set(accessKey, to: isClosed ? "closed" : "open", db)
    try RegistryIndex.note(change: nil, db)
  }

  /// From memory once it was asked for; nil for one that was deleted.
  package func tenant(_ id: Int64) throws(RegistryError) -> TenantRecord? {
    try look {
      $0.tenants.value(for: id).map(Optional.some)
    } ask: { index, db in
      let found = try Row.fetchOne(
        db.cachedStatement(sql: Self.tenants + " WHERE id = ?"), arguments: [id]
      ).map(TenantRecord.init)
      if let found { _ = index.tenants.insert(found, for: id, cost: RegistryIndex.tenantBytes) }
      return found
    }
  }

  /// Throws `noTenant`.
  package func tenant(named name: Name) throws(RegistryError) -> TenantRecord {
    try read { db in try Self.tenant(named: name, db) }
  }

  /// By name, those after `after`.
  package func listTenants(after: Name?, limit: Int) throws(RegistryError) -> [TenantRecord] {
    try read { db in
      try Row.fetchAll(
        db, sql: Self.tenants + " WHERE ? IS NULL OR name > ? ORDER BY name LIMIT ?",
        arguments: [after?.text, after?.text, max(0, limit)]
      ).map(TenantRecord.init)
    }
  }

  /// What it may use from now on; what it has beyond that stays. Throws `noTenant`.
  package func set(processor: VirtualProcessor, of name: Name) throws(RegistryError) {
    try write { db in
      let tenant = try Self.tenant(named: name, db)
      let limits = try JSONText.encode(processor.limits)
      try db.execute(
        sql: "UPDATE tenants SET weight = ?, quota = ? WHERE id = ?",
        arguments: [processor.weight, limits, tenant.id])
      try Self.audit(
        .setQuota, name, name.text, db, detail: "weight \(processor.weight), \(limits)")
      try RegistryIndex.note(change: nil, db)
    }
  }

  /// Removes the tenant and its keys; with `vberts` all that it owns, too. Throws `noTenant`,
  /// `defaultTenant`, `tenantHasVBERTs`.
  package func deleteTenant(_ name: Name, vberts: Bool = false) throws(RegistryError) {
    guard name != TenantRecord.defaultName else { throw .defaultTenant }
    try write { db in
      let tenant = try Self.tenant(named: name, db)
      let owned = try Row.fetchAll(
        db, sql: "SELECT name FROM vberts WHERE tenant = ?", arguments: [tenant.id]
      ).map { VBertName(try $0.name("name", of: "vberts"), of: name) }
      guard vberts || owned.isEmpty else {
        throw RegistryError.tenantHasVBERTs(tenant: name.text, count: owned.count)
      }
      for vbert in owned { try Self.delete(vbert, db) }
      let keys = try String.fetchAll(
        db, sql: "SELECT label FROM keys WHERE tenant = ? ORDER BY label", arguments: [tenant.id])
      for label in keys { try Self.audit(.revokeKey, name, label, db) }
      try db.execute(sql: "DELETE FROM tenants WHERE id = ?", arguments: [tenant.id])
      try Self.audit(.deleteTenant, name, name.text, db)
      try RegistryIndex.note(change: nil, db)
    }
  }

  static func tenant(named name: Name, _ db: Database) throws -> TenantRecord {
    let row = try Row.fetchOne(
      db, sql: tenants + " WHERE name = ?", arguments: [name.text])
    guard let row else { throw RegistryError.noTenant(name.text) }
    return try TenantRecord(row)
  }

  private static let tenants = """
    SELECT *, (SELECT COUNT(*) FROM keys WHERE tenant = tenants.id) AS keyCount FROM tenants
    """
}

extension TenantRecord {
  fileprivate init(_ row: Row) throws {
    let table = "tenants"
    self.init(
      id: try row.column("id", of: table), name: try row.name("name", of: table),
      processor: try VirtualProcessor(
        weight: try row.column("weight", of: table), limits: try row.json("quota", of: table)),
      keys: try row.column("keyCount", of: table), created: try row.date("created", of: table))
  }
}
