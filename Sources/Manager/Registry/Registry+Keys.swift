internal import Compute
package import Foundation
internal import GRDB
package import Model

extension Registry {
  /// A key for this tenant, which asks `vbert` where a request names none; the home is closed by it. Throws
  /// `noTenant`, `keyExists`, `noVBERT`.
  package func createKey(
    _ label: Name, tenant: Name, scopes: Scopes, expires: Date? = nil, vbert: VBertName? = nil
  ) throws(RegistryError) -> NewKey {
    try write { db in
      let owner = try Self.tenant(named: tenant, db)
      try Self.checkPower(over: scopes, until: expires, db)
      if let vbert { try Self.check(vbert, isAskedBy: tenant, scopes, db) }
      let new = try Self.createKey(
        label, owner.id, scopes: scopes, expires: expires, vbert: vbert, db)
      let asks = vbert.map { ", asks \($0.full)" } ?? ""
      try Self.audit(.createKey, tenant, label.text, db, detail: scopes.description + asks)
      return new
    }
  }

  /// Another tenant's is one that does not exist, but for the operator's keys. Throws `noVBERT`.
  private static func check(
    _ vbert: VBertName, isAskedBy tenant: Name, _ scopes: Scopes, _ db: Database
  ) throws {
    let own = vbert.tenant == tenant
    guard own || scopes.isAdmin else { throw RegistryError.noVBERT(vbert.full) }
    do { _ = try Self.vbert(named: vbert, db) } catch RegistryError.noVBERT {
      throw RegistryError.noVBERT(own ? vbert.name.text : vbert.full)
    }
  }

  static func createKey(
    _ label: Name, _ tenant: Int64, scopes: Scopes, expires: Date?, vbert: VBertName? = nil,
    _ db: Database
  ) throws -> NewKey {
    guard try !isTaken(label.text, tenant, db) else {
      throw RegistryError.keyExists(label: label.text)
    }
    let secret = TenantKey.make()
    try db.execute(
      sql: """
        INSERT INTO keys (tenant, label, hash, scopes, created, expires, vbert)
          VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        tenant, label.text, TenantKey.hash(secret), scopes.description,
        Date().timeIntervalSince1970, expires?.timeIntervalSince1970, vbert?.full,
      ])
    let id = db.lastInsertedRowID
    try close(db)
    guard let row = try Row.fetchOne(db, sql: keys + " WHERE k.id = ?", arguments: [id]) else {
      throw RegistryError.noKey(label: label.text)
    }
    return NewKey(record: try KeyRecord(row), secret: secret)
  }

  private static func isTaken(_ label: String, _ tenant: Int64, _ db: Database) throws -> Bool {
    try Row.fetchOne(
      db, sql: "SELECT 1 FROM keys WHERE tenant = ? AND label = ?", arguments: [tenant, label])
      != nil
  }

  /// By tenant and label; of one tenant where it is named, its labels after `after`.
  package func keys(
    of tenant: Name?, after: Name?, limit: Int
  ) throws(RegistryError) -> [KeyRecord] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: Self.keys + """
           WHERE (? IS NULL OR t.name = ?) AND (? IS NULL OR k.label > ?)
          ORDER BY t.name, k.label LIMIT ?
          """,
        arguments: [tenant?.text, tenant?.text, after?.text, after?.text, max(0, limit)]
      ).map(KeyRecord.init)
    }
  }

  /// It is worth nothing from now on; a closed home stays closed. Throws `noTenant`, `noKey`.
  package func revokeKey(_ label: Name, tenant: Name) throws(RegistryError) {
    try write { db in
      let key = try Self.key(label, tenant, db)
      try Self.checkPower(over: key.scopes, until: nil, isNew: false, db)
      try db.execute(sql: "DELETE FROM keys WHERE id = ?", arguments: [key.id])
      try Self.audit(.revokeKey, tenant, label.text, db)
      try RegistryIndex.note(change: nil, db)
    }
  }

  /// A new key in the place of one: its label, scopes, expiry and the vBERT that it asks. The old one is worth something until
  /// `end`, as `label.n`. Throws `noTenant`, `noKey`.
  package func rotateKey(
    _ label: Name, tenant: Name, oldUntil end: Date
  ) throws(RegistryError) -> NewKey {
    try write { db in
      let old = try Self.key(label, tenant, db)
      let owner = try Self.tenant(named: tenant, db)
      try Self.checkPower(over: old.scopes, until: old.expires, db)
      let last = min(end, old.expires ?? end)
      // A label that is as long as it may be loses its end.
      var (aside, number) = ("", 0)
      repeat {
        let suffix = number == 0 ? ".\(old.id)" : ".\(old.id).\(number)"
        aside = String(label.text.prefix(Name.longest - suffix.count)) + suffix
        number += 1
      } while try Self.isTaken(aside, owner.id, db)
      try db.execute(
        sql: "UPDATE keys SET label = ?, expires = ? WHERE id = ?",
        arguments: [aside, last.timeIntervalSince1970, old.id])
      try Self.audit(.rotateKey, tenant, label.text, db, detail: "the old one is \(aside)")
      return try Self.createKey(
        label, owner.id, scopes: old.scopes, expires: old.expires, vbert: old.vbert, db)
    }
  }

  /// Whose key this is; nil for nobody's. Whether it has expired is for whoever asks, who knows the time.
  /// From memory once it was asked for.
  package func holder(ofKey secret: String) throws(RegistryError) -> KeyHolder? {
    let hash = TenantKey.hash(secret)
    return try look {
      $0.keys.value(for: hash).map(Optional.some)
    } ask: { index, db in
      guard
        let row = try Row.fetchOne(
          db.cachedStatement(sql: Self.keys + " WHERE k.hash = ?"), arguments: [hash])
      else { return nil }
      let key = try KeyRecord(row)
      let found = KeyHolder(tenant: try Self.tenant(named: key.tenant, db), key: key)
      _ = index.keys.insert(found, for: hash, cost: RegistryIndex.tenantBytes)
      return found
    }
  }

  /// Writes down when keys were last used: one fsync for all. Throws `busy` at once where another process
  /// holds the lock for changes.
  package func note(uses: [Int64: Date]) throws(RegistryError) {
    guard !uses.isEmpty else { return }
    try writeAtOnce { db in
      for (key, time) in uses {
        try db.execute(
          sql: "UPDATE keys SET used = ? WHERE id = ?",
          arguments: [time.timeIntervalSince1970, key])
      }
    }
  }

  /// The key that the present change is made with, as it is now; nil on the command line. Throws `lostKey`.
  static func actingKey(_ db: Database) throws -> KeyRecord? {
    guard let id = Actor.current.key else { return nil }
    guard
      let key = try Row.fetchOne(db, sql: keys + " WHERE k.id = ?", arguments: [id]).map(
        KeyRecord.init),
      !key.isExpired(at: .now)
    else { throw RegistryError.lostKey }
    return key
  }

  /// Nobody makes, takes over or revokes a key that may more than his own, nor makes one that lasts longer.
  /// In the change's transaction: what was looked up before may be another key by now. Throws `lostKey`,
  /// `beyondKey`.
  private static func checkPower(
    over scopes: Scopes, until end: Date?, isNew: Bool = true, _ db: Database
  ) throws {
    guard let own = try actingKey(db) else { return }
    let lasts = own.expires.map { mine in !isNew || end.map { $0 <= mine } ?? false } ?? true
    guard own.scopes.allows(scopes), lasts else {
      throw RegistryError.beyondKey(
        label: own.label.text, has: own.scopes.names, needs: scopes.names)
    }
  }

  private static func key(_ label: Name, _ tenant: Name, _ db: Database) throws -> KeyRecord {
    let owner = try Self.tenant(named: tenant, db)
    let row = try Row.fetchOne(
      db, sql: keys + " WHERE k.tenant = ? AND k.label = ?", arguments: [owner.id, label.text])
    guard let row else { throw RegistryError.noKey(label: label.text) }
    return try KeyRecord(row)
  }

  private static let keys = """
    SELECT k.id, k.label, k.scopes, k.created, k.expires, k.used, k.vbert, t.name AS tenantName
    FROM keys k JOIN tenants t ON t.id = k.tenant
    """
}

extension KeyRecord {
  fileprivate init(_ row: Row) throws {
    let table = "keys"
    let text: String = try row.column("scopes", of: table)
    let scopes: Scopes
    do { scopes = try Scopes(text) } catch {
      // Made by a newer vbert, or by somebody else: nobody's key rather than one that may too much.
      throw RegistryError.damaged(table: table, column: "scopes", why: "says \(error)")
    }
    let expires: Double? = try row.optional("expires", of: table)
    let used: Double? = try row.optional("used", of: table)
    self.init(
      id: try row.column("id", of: table), tenant: try row.name("tenantName", of: "tenants"),
      label: try row.name("label", of: table), scopes: scopes, vbert: try Self.vbert(row),
      created: try row.date("created", of: table),
      expires: expires.map(Date.init(timeIntervalSince1970:)),
      used: used.map(Date.init(timeIntervalSince1970:)))
  }

  private static func vbert(_ row: Row) throws -> VBertName? {
    guard let text: String = try row.optional("vbert", of: "keys") else { return nil }
    do { return try VBertName(text) } catch {
      throw RegistryError.damaged(
        table: "keys", column: "vbert", why: "is no name: \"\(clipped(text))\"")
    }
  }
}
