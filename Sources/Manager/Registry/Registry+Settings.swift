internal import GRDB

/// Choices that belong to the home and not to one run.
package enum Setting: String, Sendable {
  /// Name of the base that `create` takes when none is said.
  case defaultBase
}

extension Registry {
  package func setting(_ setting: Setting) throws(RegistryError) -> String? {
    try read { db in try Self.setting(setting.rawValue, db) }
  }

  static func setting(_ key: String, _ db: Database) throws -> String? {
    try String.fetchOne(
      db.cachedStatement(sql: "SELECT value FROM settings WHERE key = ?"), arguments: [key])
  }

  static func set(_ key: String, to value: String, _ db: Database) throws {
    try db.execute(
      sql: "INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)", arguments: [key, value])
  }

  /// nil removes it.
  package func set(_ setting: Setting, to value: String?) throws(RegistryError) {
    try write { db in
      try Self.audit(.setting, nil, setting.rawValue, db, detail: value ?? "none")
      if let value {
        try Self.set(setting.rawValue, to: value, db)
      } else {
        try db.execute(sql: "DELETE FROM settings WHERE key = ?", arguments: [setting.rawValue])
      }
    }
  }
}
