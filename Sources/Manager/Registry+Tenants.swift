internal import Foundation
internal import GRDB

extension Registry {
  /// Returns the tenant's key, which exists nowhere else from now on. Throws `invalidName`,
  /// `tenantExists`.
  package func createTenant(
    _ name: String, processor: VirtualProcessor = .standard
  ) throws(RegistryError) -> String {
    try checkName(name)
    let key = TenantKey.make()
    try write { db in
      guard
        try Row.fetchOne(db, sql: "SELECT 1 FROM tenants WHERE name = ?", arguments: [name]) == nil
      else { throw RegistryError.tenantExists(name) }
      try db.execute(
        sql: "INSERT INTO tenants (name, keyHash, weight, created) VALUES (?, ?, ?, ?)",
        arguments: [
          name, TenantKey.hash(key), processor.weight, Date().timeIntervalSince1970,
        ])
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
      if let found { _ = index.keys.insert(found, for: hash, cost: 1) }
      return found
    }
  }

  /// Whether any tenant has a key, so that requests need one. From memory once it was asked for.
  package func hasKeys() throws(RegistryError) -> Bool {
    try look {
      $0.hasKeys
    } ask: { index, db in
      let found = try Bool.fetchOne(
        db.cachedStatement(
          sql: "SELECT EXISTS(SELECT 1 FROM tenants WHERE keyHash IS NOT NULL)"))
      index.hasKeys = found
      return found ?? false
    }
  }

  /// From memory once it was asked for; nil for one that was deleted.
  package func tenant(_ id: Int64) throws(RegistryError) -> TenantRecord? {
    try look {
      $0.tenants.value(for: id).map(Optional.some)
    } ask: { index, db in
      let found = try Row.fetchOne(
        db.cachedStatement(sql: "SELECT * FROM tenants WHERE id = ?"), arguments: [id]
      ).map(TenantRecord.init)
      if let found { _ = index.tenants.insert(found, for: id, cost: 1) }
      return found
    }
  }

  /// Throws `noTenant`.
  package func tenant(named name: String) throws(RegistryError) -> TenantRecord {
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
  package func deleteTenant(_ name: String, vberts: Bool = false) throws(RegistryError) {
    guard name != TenantRecord.defaultName else { throw .defaultTenant }
    try write { db in
      let tenant = try Self.tenant(named: name, db)
      let owned = try String.fetchAll(
        db, sql: "SELECT name FROM vberts WHERE tenant = ?", arguments: [tenant.id])
      guard vberts || owned.isEmpty else {
        throw RegistryError.tenantHasVBERTs(tenant: name, count: owned.count)
      }
      for vbert in owned { try Self.delete(vbert, db) }
      try db.execute(sql: "DELETE FROM tenants WHERE id = ?", arguments: [tenant.id])
      try RegistryIndex.note(change: nil, db)
    }
  }

  static func tenant(named name: String, _ db: Database) throws -> TenantRecord {
    let row = try Row.fetchOne(db, sql: "SELECT * FROM tenants WHERE name = ?", arguments: [name])
    guard let row else { throw RegistryError.noTenant(name) }
    return try TenantRecord(row)
  }
}

extension TenantRecord {
  fileprivate init(_ row: Row) throws {
    self.init(
      id: row["id"], name: row["name"], processor: try VirtualProcessor(weight: row["weight"]),
      hasKey: row["keyHash"] as Data? != nil, created: Date(timeIntervalSince1970: row["created"]))
  }
}

/// 1 to 128 of A-Z a-z 0-9 . _ -, the first a letter or a digit: safe in a path, a URL and a shell.
/// Throws `invalidName`.
package func checkName(_ name: String) throws(RegistryError) {
  func isAlphanumeric(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: false
    }
  }
  guard let first = name.utf8.first, isAlphanumeric(first), name.utf8.count <= 128,
    name.utf8.allSatisfy({ isAlphanumeric($0) || "._-".utf8.contains($0) })
  else { throw .invalidName(name) }
}
