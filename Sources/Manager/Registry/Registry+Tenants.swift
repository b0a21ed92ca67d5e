internal import Compute
internal import Foundation
internal import GRDB
package import Model

extension Registry {
  /// Returns the tenant's key, which exists nowhere else from now on; the home is closed by it. Throws
  /// `tenantExists`.
  package func createTenant(
    _ name: Name, processor: VirtualProcessor = .standard
  ) throws(RegistryError) -> String {
    let key = TenantKey.make()
    try write { db in
      guard
        try Row.fetchOne(db, sql: "SELECT 1 FROM tenants WHERE name = ?", arguments: [name.text])
          == nil
      else { throw RegistryError.tenantExists(name.text) }
      try db.execute(
        sql: "INSERT INTO tenants (name, keyHash, weight, created) VALUES (?, ?, ?, ?)",
        arguments: [
          name.text, TenantKey.hash(key), processor.weight, Date().timeIntervalSince1970,
        ])
      try Self.set(isClosed: true, db)
      try RegistryIndex.note(change: nil, db)
    }
    return key
  }

  /// Whose key this is; nil for nobody's. From memory once it was asked for.
  package func tenant(forKey key: String) throws(RegistryError) -> TenantRecord? {
    let hash = TenantKey.hash(key)
    return try look {
      $0.keys.value(for: hash).map(Optional.some)
    } ask: { index, db in
      let found = try Row.fetchOne(
        db.cachedStatement(sql: "SELECT * FROM tenants WHERE keyHash = ?"), arguments: [hash]
      ).map(TenantRecord.init)
      if let found { _ = index.keys.insert(found, for: hash, cost: RegistryIndex.tenantBytes) }
      return found
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

  private static func set(isClosed: Bool, _ db: Database) throws {
    try set(accessKey, to: isClosed ? "closed" : "open", db)
    try RegistryIndex.note(change: nil, db)
  }

  /// From memory once it was asked for; nil for one that was deleted.
  package func tenant(_ id: Int64) throws(RegistryError) -> TenantRecord? {
    try look {
      $0.tenants.value(for: id).map(Optional.some)
    } ask: { index, db in
      let found = try Row.fetchOne(
        db.cachedStatement(sql: "SELECT * FROM tenants WHERE id = ?"), arguments: [id]
      ).map(TenantRecord.init)
      if let found { _ = index.tenants.insert(found, for: id, cost: RegistryIndex.tenantBytes) }
      return found
    }
  }

  /// Throws `noTenant`.
  package func tenant(named name: Name) throws(RegistryError) -> TenantRecord {
    try read { db in try Self.tenant(named: name, db) }
  }

  /// All of them, by name.
  package func listTenants() throws(RegistryError) -> [TenantRecord] {
    try read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM tenants ORDER BY name").map(TenantRecord.init)
    }
  }

  /// Removes the tenant and its key; with `vberts` all that it owns, too. Throws `noTenant`,
  /// `defaultTenant`, `tenantHasVBERTs`.
  package func deleteTenant(_ name: Name, vberts: Bool = false) throws(RegistryError) {
    guard name != TenantRecord.defaultName else { throw .defaultTenant }
    try write { db in
      let tenant = try Self.tenant(named: name, db)
      let owned = try Row.fetchAll(
        db, sql: "SELECT name FROM vberts WHERE tenant = ?", arguments: [tenant.id]
      ).map { try $0.name("name", of: "vberts") }
      guard vberts || owned.isEmpty else {
        throw RegistryError.tenantHasVBERTs(tenant: name.text, count: owned.count)
      }
      for vbert in owned { try Self.delete(vbert, db) }
      try db.execute(sql: "DELETE FROM tenants WHERE id = ?", arguments: [tenant.id])
      try RegistryIndex.note(change: nil, db)
    }
  }

  static func tenant(named name: Name, _ db: Database) throws -> TenantRecord {
    let row = try Row.fetchOne(
      db, sql: "SELECT * FROM tenants WHERE name = ?", arguments: [name.text])
    guard let row else { throw RegistryError.noTenant(name.text) }
    return try TenantRecord(row)
  }
}

extension TenantRecord {
  fileprivate init(_ row: Row) throws {
    let table = "tenants"
    let hash: Data? = try row.optional("keyHash", of: table)
    self.init(
      id: try row.column("id", of: table), name: try row.name("name", of: table),
      processor: try VirtualProcessor(weight: try row.column("weight", of: table)),
      hasKey: hash != nil, created: try row.date("created", of: table))
  }
}
