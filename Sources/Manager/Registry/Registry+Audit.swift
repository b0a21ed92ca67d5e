internal import Foundation
internal import GRDB
package import Model

extension Registry {
  /// How long changes are kept.
  private static let auditDays = 365.0

  /// The newest first, those before the one of that number; of one tenant where it is named.
  package func audit(
    of tenant: Name? = nil, before number: Int64? = nil, limit: Int = 100
  ) throws(RegistryError) -> [AuditRecord] {
    try read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT * FROM audit WHERE number < ? AND (? IS NULL OR tenant = ?)
          ORDER BY number DESC LIMIT ?
          """, arguments: [number ?? .max, tenant?.text, tenant?.text, max(0, limit)]
      ).map(AuditRecord.init)
    }
  }

  /// Writes down a change, in the transaction that makes it; now and then what is older than `auditDays`
  /// goes.
  static func audit(
    _ action: AuditedAction, _ tenant: Name?, _ object: String, _ db: Database,
    detail: String = ""
  ) throws {
    let now = Date().timeIntervalSince1970
    try db.execute(
      sql:
        "INSERT INTO audit (time, actor, action, tenant, object, detail) VALUES (?, ?, ?, ?, ?, ?)",
      arguments: [now, Actor.current.text, action.rawValue, tenant?.text, object, detail])
    guard db.lastInsertedRowID % 256 == 0 else { return }
    try db.execute(
      sql: "DELETE FROM audit WHERE time < ?", arguments: [now - auditDays * 86_400])
  }

  static func audit(
    _ action: AuditedAction, _ vbert: VBertName, _ db: Database, detail: String = ""
  ) throws {
    try audit(action, vbert.tenant, vbert.name.text, db, detail: detail)
  }
}

extension AuditRecord {
  fileprivate init(_ row: Row) throws {
    let table = "audit"
    let tenant: String? = try row.optional("tenant", of: table)
    self.init(
      number: try row.column("number", of: table), time: try row.date("time", of: table),
      actor: try row.column("actor", of: table), action: try row.column("action", of: table),
      tenant: tenant.flatMap { try? Name($0) }, object: try row.column("object", of: table),
      detail: try row.column("detail", of: table))
  }
}
