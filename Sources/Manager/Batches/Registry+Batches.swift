internal import Foundation
internal import GRDB
package import Model

extension Registry {
  /// That are not over, of one tenant; that are over and kept.
  private static let (mostBatches, keptBatches) = (1000, 10_000)

  /// Throws `noTenant`, `noFile`, `tooManyWaiting`.
  package func create(_ new: NewBatch) throws(RegistryError) -> BatchRecord {
    try write { db in
      let owner = try Self.tenant(named: new.tenant, db)
      let open = try Int.fetchOne(
        db, sql: "SELECT COUNT(*) FROM batches WHERE tenant = ? AND finished IS NULL",
        arguments: [owner.id])
      guard (open ?? 0) < Self.mostBatches else {
        throw RegistryError.tooManyWaiting(most: Self.mostBatches)
      }
      guard let file = try Self.file(new.input, owner.name, db), file.purpose == .batch else {
        throw RegistryError.noFile(new.input)
      }
      let id = PublicID.make("batch")
      try db.execute(
        sql: """
          INSERT INTO batches
            (id, tenant, endpoint, input, output, errors, metadata, state, progress, created, turn)
          VALUES (?, ?, ?, ?, ?, ?, ?, 'validating', ?, ?, 0)
          """,
        arguments: [
          id, owner.id, new.endpoint, new.input, PublicID.make("file"), PublicID.make("file"),
          try JSONText.encode(new.metadata),
          try JSONText.encode(BatchProgress(total: file.report.rows)), Date().timeIntervalSince1970,
        ])
      try db.execute(
        sql: """
          DELETE FROM batches WHERE number IN (SELECT number FROM batches
            WHERE tenant = ? AND finished IS NOT NULL ORDER BY number DESC LIMIT -1 OFFSET ?)
          """, arguments: [owner.id, Self.keptBatches])
      try Self.audit(.createBatch, owner.name, id, db, detail: new.endpoint)
      return try Self.batch(id, owner.name, db)
    }
  }

  /// nil for nobody's, and where a tenant is given for another's.
  package func batch(_ id: String, of tenant: Name?) throws(RegistryError) -> BatchRecord? {
    try read { db in
      try Self.row(id, tenant, of: "batches", by: "batchesByTenantAndId", db).map(BatchRecord.init)
    }
  }

  /// Throws `noBatch`.
  private static func batch(_ id: String, _ tenant: Name?, _ db: Database) throws -> BatchRecord {
    guard let row = try row(id, tenant, of: "batches", by: "batchesByTenantAndId", db) else {
      throw RegistryError.noBatch(id)
    }
    return try BatchRecord(row)
  }

  /// The newest first, those older than the one of that id; of one tenant where it is named.
  package func batches(
    of tenant: Name?, after id: String?, limit: Int
  ) throws(RegistryError) -> [BatchRecord] {
    try read { db in
      try Self.newest(of: "batches", tenant, after: id, limit, db).map(BatchRecord.init)
    }
  }

  /// Asks for its end; what was answered by then stays. Throws `noBatch`, `batchIsOver`.
  package func cancel(batch id: String, of tenant: Name?) throws(RegistryError) -> BatchRecord {
    try write { db in
      let found = try Self.batch(id, tenant, db)
      guard !found.state.isOver else {
        throw RegistryError.batchIsOver(id, state: found.state.rawValue)
      }
      try db.execute(
        sql: """
          UPDATE batches SET state = 'cancelling', cancelling = COALESCE(cancelling, ?)
          WHERE number = ?
          """, arguments: [Date().timeIntervalSince1970, found.number])
      try Self.audit(.cancelBatch, found.tenant, id, db)
      return try Self.batch(id, tenant, db)
    }
  }

  /// One that is not over: the one that has waited longest for its turn. nil where there is none. It has had its turn
  /// by that.
  package func nextBatch() throws(RegistryError) -> BatchRecord? {
    let waits = "finished IS NULL ORDER BY turn, number LIMIT 1"
    let isAny = try read { db in
      try Row.fetchOne(db, sql: "SELECT 1 FROM batches WHERE \(waits)") != nil
    }
    guard isAny else { return nil }
    return try write { db in
      let number = try Int64.fetchOne(db, sql: "SELECT number FROM batches WHERE \(waits)")
      guard let number else { return nil }
      let now = Date().timeIntervalSince1970
      try db.execute(
        sql: """
          UPDATE batches SET turn = ?, started = COALESCE(started, ?),
            state = CASE state WHEN 'validating' THEN 'in_progress' ELSE state END
          WHERE number = ?
          """, arguments: [now, now, number])
      return try Row.fetchOne(
        db, sql: Self.owned("batches") + " WHERE f.number = ?", arguments: [number]
      ).map(BatchRecord.init)
    }
  }

  /// Writes down how far it is. Returns its state, which may say that it is to end.
  package func note(
    _ progress: BatchProgress, of number: Int64
  ) throws(RegistryError) -> BatchState {
    try write { db in
      try db.execute(
        sql: "UPDATE batches SET progress = ? WHERE number = ?",
        arguments: [try JSONText.encode(progress), number])
      let state = try String.fetchOne(
        db, sql: "SELECT state FROM batches WHERE number = ?", arguments: [number])
      // Gone with its tenant.
      return state.flatMap(BatchState.init(rawValue:)) ?? .cancelled
    }
  }

  /// It is over with that progress, and these files of what came of it are there.
  package func end(
    batch number: Int64, as state: BatchState, error: String?, _ progress: BatchProgress,
    files: [FileRecord]
  ) throws(RegistryError) {
    try write { db in
      let row = try Row.fetchOne(
        db, sql: "SELECT 1 FROM batches WHERE number = ? AND finished IS NULL", arguments: [number])
      guard row != nil else { return }
      for file in files { try Self.insert(file, db) }
      try db.execute(
        sql: "UPDATE batches SET state = ?, error = ?, progress = ?, finished = ? WHERE number = ?",
        arguments: [
          state.rawValue, error, try JSONText.encode(progress), Date().timeIntervalSince1970,
          number,
        ])
    }
  }
}

extension BatchRecord {
  fileprivate init(_ row: Row) throws {
    let table = "batches"
    let word: String = try row.column("state", of: table)
    guard let state = BatchState(rawValue: word) else {
      throw RegistryError.damaged(table: table, column: "state", why: "is none: \(clipped(word))")
    }
    func id(_ column: String) throws -> String {
      let id: String = try row.column(column, of: table)
      // It becomes a path.
      guard PublicID.isValid(id, "file") else {
        throw RegistryError.damaged(table: table, column: column, why: "is no file's")
      }
      return id
    }
    self.init(
      number: try row.column("number", of: table), id: try row.column("id", of: table),
      tenant: try row.name("tenantName", of: "tenants"),
      endpoint: try row.column("endpoint", of: table), input: try id("input"),
      output: try id("output"), errors: try id("errors"),
      metadata: try row.json("metadata", of: table), state: state,
      progress: try row.json("progress", of: table), created: try row.date("created", of: table),
      started: try row.time("started", of: table), finished: try row.time("finished", of: table),
      cancelling: try row.time("cancelling", of: table),
      error: try row.optional("error", of: table))
  }
}
