internal import Foundation
internal import GRDB
package import Model

extension Registry {
  /// Writes down a file whose bytes are stored. Throws `noTenant`, `overQuota`.
  package func create(file: FileRecord) throws(RegistryError) {
    try write { db in
      let owner = try Self.tenant(named: file.tenant, db)
      try Self.checkRoom(for: file.byteCount, owner, db)
      try Self.insert(file, db)
      try Self.audit(.createFile, file.tenant, file.id, db, detail: "\(file.byteCount) bytes")
    }
  }

  /// What a batch was answered is kept, whatever room there is.
  static func insert(_ file: FileRecord, _ db: Database) throws {
    let owner = try Self.tenant(named: file.tenant, db)
    try db.execute(
      sql: """
        INSERT INTO files (id, tenant, name, purpose, bytes, report, created)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        file.id, owner.id, file.name, file.purpose.rawValue, file.byteCount,
        try JSONText.encode(file.report), file.created.timeIntervalSince1970,
      ])
  }

  /// nil for nobody's, and where a tenant is given for another's.
  package func file(_ id: String, of tenant: Name?) throws(RegistryError) -> FileRecord? {
    try read { db in try Self.file(id, tenant, db) }
  }

  static func file(_ id: String, _ tenant: Name?, _ db: Database) throws -> FileRecord? {
    try row(id, tenant, of: "files", by: "filesByTenantAndId", db).map(FileRecord.init)
  }

  /// A file's or a fine-tuning's. Of one tenant by an index that begins with it: the same pages, whether the id is
  /// nobody's or another's.
  static func row(
    _ id: String, _ tenant: Name?, of table: String, by index: String, _ db: Database
  ) throws -> Row? {
    let select = "SELECT f.*, t.name AS tenantName FROM \(table) f"
    let join = "JOIN tenants t ON t.id = f.tenant"
    guard let tenant else {
      return try Row.fetchOne(db, sql: "\(select) \(join) WHERE f.id = ?", arguments: [id])
    }
    return try Row.fetchOne(
      db,
      sql: """
        \(select) INDEXED BY \(index) \(join)
        WHERE f.tenant = (SELECT id FROM tenants WHERE name = ?) AND f.id = ?
        """, arguments: [tenant.text, id])
  }

  /// The newest first, those older than the one of that id; of one tenant, or brought for one purpose, where it is
  /// named.
  package func files(
    of tenant: Name?, for purpose: FilePurpose?, after id: String?, limit: Int
  ) throws(RegistryError) -> [FileRecord] {
    try read { db in
      try Self.newest(
        of: "files", tenant, after: id, limit,
        and: purpose.map { ("f.purpose = ?", [$0.rawValue]) } ?? ("1", []), db
      ).map(FileRecord.init)
    }
  }

  /// Of a table of tenants' things with an id: the newest first, those older than the one of that id, of one tenant
  /// where it is named, for which `condition` holds.
  static func newest(
    of table: String, _ tenant: Name?, after id: String?, _ limit: Int,
    and condition: (sql: String, arguments: StatementArguments) = ("1", []), _ db: Database
  ) throws -> [Row] {
    let before = try id.map {
      try Int64.fetchOne(db, sql: "SELECT number FROM \(table) WHERE id = ?", arguments: [$0]) ?? 0
    }
    return try Row.fetchAll(
      db,
      sql: """
        \(owned(table)) WHERE f.number < ? AND (? IS NULL OR t.name = ?) AND \(condition.sql)
        ORDER BY f.number DESC LIMIT ?
        """,
      arguments: [before ?? .max, tenant?.text, tenant?.text] + condition.arguments
        + [max(0, limit)])
  }

  /// Of a table of tenants' things, as `f`, with the names of their tenants.
  static func owned(_ table: String) -> String {
    "SELECT f.*, t.name AS tenantName FROM \(table) f JOIN tenants t ON t.id = f.tenant"
  }

  /// Its bytes are nobody's from then on. Throws `noFile`, and `fileInUse` while a fine-tuning waits for it.
  package func delete(file id: String, of tenant: Name?) throws(RegistryError) {
    try write { db in
      guard let file = try Self.file(id, tenant, db) else { throw RegistryError.noFile(id) }
      let user = try String.fetchOne(
        db,
        sql: """
          SELECT id FROM fineTunings WHERE state IN ('queued', 'running', 'paused')
            AND (json_extract(wish, '$.trainingFile') = ?
              OR json_extract(wish, '$.validationFile') = ?)
          UNION ALL SELECT id FROM batches WHERE finished IS NULL AND input = ?
          """, arguments: [id, id, id])
      if let user { throw RegistryError.fileInUse(id, by: user) }
      try db.execute(sql: "DELETE FROM files WHERE id = ?", arguments: [id])
      try Self.audit(.deleteFile, file.tenant, id, db)
    }
  }

  /// Which of these files there are.
  package func known(files ids: [String]) throws(RegistryError) -> Set<String> {
    try read { db in
      try ids.reduce(into: Set<String>()) { known, id in
        let row = try Row.fetchOne(
          db,
          sql: """
            SELECT 1 FROM files WHERE id = ?
            UNION ALL SELECT 1 FROM batches WHERE finished IS NULL AND ? IN (output, errors)
            """, arguments: [id, id])
        if row != nil { known.insert(id) }
      }
    }
  }
}

extension FileRecord {
  fileprivate init(_ row: Row) throws {
    let table = "files"
    let purpose: String = try row.column("purpose", of: table)
    guard let purpose = FilePurpose(rawValue: purpose) else {
      throw RegistryError.damaged(table: table, column: "purpose", why: "is none: \(purpose)")
    }
    let id: String = try row.column("id", of: table)
    // It becomes a path.
    guard PublicID.isValid(id, "file") else {
      throw RegistryError.damaged(table: table, column: "id", why: "is no file's")
    }
    self.init(
      id: id, tenant: try row.name("tenantName", of: "tenants"),
      name: try row.column("name", of: table), purpose: purpose,
      byteCount: try row.column("bytes", of: table), report: try row.json("report", of: table),
      created: try row.date("created", of: table))
  }
}
