internal import Foundation
internal import GRDB
internal import Model

extension Registry {
  /// Makes these parameters the vBERT's next version, the one that answers from now on; ends `job`
  /// in the same transaction. The blob must be on the disk already (`AdapterStore.publish` sees to
  /// it). Numbers count up from 1 and are not given twice, rollbacks or not. Throws `noVBERT` when
  /// the vBERT was deleted meanwhile.
  func publish(
    vbert: Int64, name: String, spec: VBertSpec, blob: BlobRecord?, metrics: [String: Double],
    note: String, job: Int64?
  ) throws(RegistryError) -> VersionRecord {
    try write { db in
      let present = try String.fetchOne(
        db, sql: "SELECT name FROM vberts WHERE id = ?", arguments: [vbert])
      guard present != nil else { throw RegistryError.noVBERT(name) }
      let number = try Self.publish(
        vbert: vbert, spec: spec, blob: blob, metrics: metrics, note: note, db)
      if let job { try Self.end(job, as: .done, metrics: metrics, db) }
      try RegistryIndex.note(change: name, db)
      return try Self.version(VersionID(vbert: vbert, number: number), name: name, db)
    }
  }

  static func publish(
    vbert: Int64, spec: VBertSpec, blob: BlobRecord?, metrics: [String: Double], note: String,
    _ db: Database
  ) throws -> Int {
    let last = try Int.fetchOne(
      db, sql: "SELECT MAX(number) FROM versions WHERE vbert = ?", arguments: [vbert])
    let number = (last ?? 0) + 1
    try db.execute(
      sql: """
        INSERT INTO versions (vbert, number, spec, blob, sha256, bytes, metrics, note, created)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        vbert, number, try JSONText.encode(spec), blob?.name, blob.map { Data($0.sha256) },
        blob?.byteCount ?? 0, try JSONText.encode(finite: metrics), note,
        Date().timeIntervalSince1970,
      ])
    try db.execute(
      sql: "UPDATE vberts SET current = ? WHERE id = ?", arguments: [number, vbert])
    return number
  }

  /// Makes an older (or, after a rollback, a newer) version answer. Throws `noVBERT`, `noVersion`.
  package func rollback(vbert name: String, to number: Int) throws(RegistryError) {
    try write { db in
      let vbert = try Self.vbert(named: name, db)
      _ = try Self.version(VersionID(vbert: vbert.id, number: number), name: name, db)
      try db.execute(
        sql: "UPDATE vberts SET current = ? WHERE id = ?", arguments: [number, vbert.id])
      try RegistryIndex.note(change: name, db)
    }
  }

  /// All versions, the oldest first. Throws `noVBERT`.
  package func versions(of name: String) throws(RegistryError) -> [VersionRecord] {
    try read { db in
      let vbert = try Self.vbert(named: name, db)
      return try Row.fetchAll(
        db, sql: Self.versions + " WHERE n.vbert = ? ORDER BY n.number", arguments: [vbert.id]
      ).map(VersionRecord.init)
    }
  }

  /// nil when the version, or its vBERT, is gone.
  package func version(_ id: VersionID) throws(RegistryError) -> VersionRecord? {
    try read { db in
      try Row.fetchOne(
        db.cachedStatement(sql: Self.versions + " WHERE n.vbert = ? AND n.number = ?"),
        arguments: [id.vbert, id.number]
      ).map(VersionRecord.init)
    }
  }

  /// The names of those blobs that some version has, among the names that start with `prefix`.
  func blobs(prefix: String) throws(RegistryError) -> Set<String> {
    try read { db in
      try String.fetchSet(
        db, sql: "SELECT blob FROM versions WHERE blob >= ? AND blob < ?",
        arguments: [prefix, prefix + "\u{7F}"])
    }
  }

  private static let versions: String =
    "SELECT n.*, v.name FROM versions n JOIN vberts v ON v.id = n.vbert"

  private static func version(
    _ id: VersionID, name: String, _ db: Database
  ) throws -> VersionRecord {
    let row = try Row.fetchOne(
      db, sql: versions + " WHERE n.vbert = ? AND n.number = ?",
      arguments: [id.vbert, id.number])
    if let row { return try VersionRecord(row) }
    let have = try Int.fetchAll(
      db, sql: "SELECT number FROM versions WHERE vbert = ? ORDER BY number", arguments: [id.vbert])
    throw RegistryError.noVersion(vbert: name, number: id.number, have: have)
  }
}

extension VersionRecord {
  fileprivate init(_ row: Row) throws {
    let blob = (row["blob"] as String?).map { name in
      BlobRecord(
        name: name, sha256: [UInt8](row["sha256"] as Data? ?? Data()), byteCount: row["bytes"])
    }
    self.init(
      id: VersionID(vbert: row["vbert"], number: row["number"]), vbert: row["name"],
      spec: try JSONText.decode(row["spec"]), blob: blob,
      metrics: try JSONText.decode(row["metrics"]), note: row["note"],
      created: Date(timeIntervalSince1970: row["created"]))
  }
}
