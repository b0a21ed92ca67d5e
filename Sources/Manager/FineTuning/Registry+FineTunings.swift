internal import Foundation
internal import GRDB
package import Model

extension Registry {
  /// That wait, of one tenant.
  static let mostWaiting = 10_000
  /// That are over and kept, of one tenant.
  private static let mostKept = 10_000

  /// Puts it into the queue, with its vBERT where that is new: both or none. Throws `noVBERT`,
  /// `vbertExists`, `overQuota`, `noFile`, `tooManyWaiting`.
  package func create(_ new: NewFineTuning) throws(RegistryError) -> FineTuningRecord {
    try write { db in
      let owner = try Self.tenant(named: new.name.tenant, db)
      let waiting = try Int.fetchOne(
        db,
        sql: "SELECT COUNT(*) FROM fineTunings WHERE tenant = ? AND state IN ('queued', 'paused')",
        arguments: [owner.id])
      guard (waiting ?? 0) < Self.mostWaiting else {
        throw RegistryError.tooManyWaiting(most: Self.mostWaiting)
      }
      for file in [new.wish.trainingFile] + [new.wish.validationFile].compactMap(\.self) {
        guard try Self.file(file, owner.name, db) != nil else { throw RegistryError.noFile(file) }
      }
      if let spec = new.spec {
        _ = try Self.create(vbert: new.name, spec: spec, first: .untrained(spec), db)
      }
      let vbert = try Self.vbert(named: new.name, db)
      let id = PublicID.make("ftjob")
      try db.execute(
        sql: """
          INSERT INTO fineTunings
            (id, tenant, vbert, name, model, wish, metadata, state, created, attempts)
          VALUES (?, ?, ?, ?, ?, ?, ?, 'queued', ?, 0)
          """,
        arguments: [
          id, owner.id, vbert.id, new.name.name.text, new.model, try JSONText.encode(new.wish),
          try JSONText.encode(new.metadata), Date().timeIntervalSince1970,
        ])
      let number = db.lastInsertedRowID
      try Self.prune(owner.id, db)
      try Self.note(
        [FineTuningEvent("waits for its turn; \(new.name.name) will be trained")], of: number, db)
      try Self.audit(.createTraining, owner.name, id, db, detail: new.name.name.text)
      return try Self.fineTuning(id, owner.name, db)
    }
  }

  private static func prune(_ tenant: Int64, _ db: Database) throws {
    try db.execute(
      sql: """
        DELETE FROM fineTunings WHERE number IN (
          SELECT number FROM fineTunings
          WHERE tenant = ? AND state NOT IN ('queued', 'running', 'paused')
          ORDER BY number DESC LIMIT -1 OFFSET ?)
        """, arguments: [tenant, mostKept])
  }

  /// nil for nobody's, and where a tenant is given for another's.
  package func fineTuning(
    _ id: String, of tenant: Name?
  ) throws(RegistryError) -> FineTuningRecord? {
    try read { db in try Self.found(id, tenant, db) }
  }

  private static func found(
    _ id: String, _ tenant: Name?, _ db: Database
  ) throws -> FineTuningRecord? {
    try row(id, tenant, of: "fineTunings", by: "fineTuningsByTenantAndId", db).map(
      FineTuningRecord.init)
  }

  /// Throws `noFineTuning`.
  private static func fineTuning(
    _ id: String, _ tenant: Name?, _ db: Database
  ) throws -> FineTuningRecord {
    guard let found = try found(id, tenant, db) else { throw RegistryError.noFineTuning(id) }
    return found
  }

  /// The newest first, those older than the one of that id; of one tenant where it is named.
  package func fineTunings(
    of tenant: Name?, after id: String?, limit: Int
  ) throws(RegistryError) -> [FineTuningRecord] {
    try read { db in
      try Self.newest(of: "fineTunings", tenant, after: id, limit, db).map(FineTuningRecord.init)
    }
  }

  /// Cancels, pauses or resumes it: at once where it waits, else whoever runs it does. Throws
  /// `noFineTuning`, `fineTuningIsOver`.
  package func change(
    fineTuning id: String, of tenant: Name?, _ change: FineTuningChange
  ) throws(RegistryError) -> FineTuningRecord {
    try write { db in
      let found = try Self.fineTuning(id, tenant, db)
      guard !found.state.isOver else {
        throw RegistryError.fineTuningIsOver(id, state: found.state.rawValue)
      }
      switch (found.state, change) {
      case (.running, .resume), (.queued, .resume):
        // What was asked before is not asked any more.
        try db.execute(
          sql: "UPDATE fineTunings SET asked = NULL WHERE number = ?", arguments: [found.number])
      case (.running, _):
        try db.execute(
          sql: "UPDATE fineTunings SET asked = ? WHERE number = ?",
          arguments: [change.rawValue, found.number])
      case (_, .cancel): try Self.set(found.number, .cancelled, db)
      case (_, .pause): try Self.set(found.number, .paused, db)
      case (_, .resume): try Self.set(found.number, .queued, db)
      }
      try Self.note([FineTuningEvent("asked to \(change.rawValue)")], of: found.number, db)
      try Self.audit(.changeTraining, found.tenant, id, db, detail: change.rawValue)
      return try Self.fineTuning(id, tenant, db)
    }
  }

  static func set(
    _ number: Int64, _ state: FineTuningState, error: String? = nil, version: Int? = nil,
    _ db: Database
  ) throws {
    try db.execute(
      sql: """
        UPDATE fineTunings SET state = ?, asked = NULL, lock = NULL, finished = ?, error = ?,
          version = ? WHERE number = ?
        """,
      arguments: [
        state.rawValue, state.isOver ? Date().timeIntervalSince1970 : nil, error, version, number,
      ])
  }
}

extension FineTuningRecord {
  init(_ row: Row) throws {
    let table = "fineTunings"
    let word: String = try row.column("state", of: table)
    guard let state = FineTuningState(rawValue: word) else {
      throw RegistryError.damaged(table: table, column: "state", why: "is none: \(clipped(word))")
    }
    let asked: String? = try row.optional("asked", of: table)
    self.init(
      number: try row.column("number", of: table), id: try row.column("id", of: table),
      tenant: try row.name("tenantName", of: "tenants"),
      vbert: try row.column("vbert", of: table), name: try row.name("name", of: table),
      model: try row.column("model", of: table), wish: try row.json("wish", of: table),
      metadata: try row.json("metadata", of: table), state: state,
      asked: asked.flatMap(FineTuningChange.init(rawValue:)),
      created: try row.date("created", of: table), started: try row.time("started", of: table),
      finished: try row.time("finished", of: table), error: try row.optional("error", of: table),
      version: try row.optional("version", of: table),
      tokens: try row.optional("tokens", of: table))
  }
}
