internal import GRDB

/// Choices that belong to the home and not to one run.
package enum Setting: String, Sendable {
  /// Name of the base that `create` takes when none is said.
  case defaultBase
}

extension Registry {
  package func setting(_ setting: Setting) throws(RegistryError) -> String? {
    try read { db in
      try String.fetchOne(
        db, sql: "SELECT value FROM settings WHERE key = ?", arguments: [setting.rawValue])
    }
  }

  /// nil removes it.
  package func set(_ setting: Setting, to value: String?) throws(RegistryError) {
    try write { db in
      if let value {
        try db.execute(
          sql: "INSERT OR REPLACE INTO settings (key, value) VALUES (?, ?)",
          arguments: [setting.rawValue, value])
      } else {
        try db.execute(sql: "DELETE FROM settings WHERE key = ?", arguments: [setting.rawValue])
      }
    }
  }
}
