internal import GRDB
internal import Model

extension Registry {
  package func changes(since number: Int64) throws(RegistryError) -> RegistryChanges {
    try read { db in try RegistryChanges(since: number, db) }
  }
}

extension RegistryChanges {
  /// The log is as long as `RegistryIndex.note` leaves it. Nobody has numbers below 0.
  init(since number: Int64, _ db: Database) throws {
    let rows = try Row.fetchAll(
      db.cachedStatement(sql: "SELECT number, vbert FROM changes WHERE number > ? ORDER BY number"),
      arguments: [number])
    self.init(last: rows.last?["number"] ?? number)
    for row in rows {
      let stored: DatabaseValue = row["vbert"]
      if stored.isNull {
        tenants = true
      } else if let text = String.fromDatabaseValue(stored), text.contains("/"),
        let name = try? VBertName(text)
      {
        vberts.insert(name)
      } else {
        // An older vbert wrote it, or somebody else, and it may mean anything.
        isComplete = false
      }
    }
    // Does the log reach back far enough?
    if let first: Int64 = rows.first?["number"], first != number + 1 { isComplete = false }
  }
}
