internal import Foundation
internal import GRDB
internal import Model

extension Registry {
  /// Brings the file to this program's schema. Throws `RegistryError.newer` and SQLite's errors.
  static func migrate(_ database: DatabaseQueue) throws {
    let migrator = self.migrator
    if try database.read(migrator.hasBeenSuperseded) {
      let applied = try database.read(migrator.appliedIdentifiers)
      throw RegistryError.newer(schema: applied.sorted().joined(separator: ", "))
    }
    if try !database.read(migrator.hasCompletedMigrations) { try migrator.migrate(database) }
  }

  /// Times are seconds since 1970, specifications and metrics JSON. AUTOINCREMENT: a vBERT's row
  /// number is never given to another, which is what `VersionID` relies on.
  private static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("1") { db in
      try db.execute(
        sql: """
          CREATE TABLE tenants (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            keyHash BLOB UNIQUE,
            weight REAL NOT NULL,
            created REAL NOT NULL);
          CREATE TABLE vberts (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            name TEXT NOT NULL UNIQUE,
            tenant INTEGER NOT NULL REFERENCES tenants(id),
            spec TEXT NOT NULL,
            current INTEGER NOT NULL,
            created REAL NOT NULL);
          CREATE INDEX vbertsOfTenant ON vberts(tenant);
          CREATE TABLE versions (
            vbert INTEGER NOT NULL REFERENCES vberts(id) ON DELETE CASCADE,
            number INTEGER NOT NULL,
            spec TEXT NOT NULL,
            blob TEXT UNIQUE,
            sha256 BLOB,
            bytes INTEGER NOT NULL,
            metrics TEXT NOT NULL,
            note TEXT NOT NULL,
            created REAL NOT NULL,
            PRIMARY KEY (vbert, number)) WITHOUT ROWID;
          CREATE TABLE jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            vbert INTEGER NOT NULL REFERENCES vberts(id) ON DELETE CASCADE,
            state TEXT NOT NULL,
            lock TEXT NOT NULL,
            started REAL NOT NULL,
            updated REAL NOT NULL,
            finished REAL,
            error TEXT,
            metrics TEXT NOT NULL);
          CREATE INDEX jobsOfVBERT ON jobs(vbert);
          CREATE INDEX runningJobs ON jobs(state) WHERE state = 'running';
          CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
          -- What look-ups must forget: a vBERT's name, or NULL for the tenants.
          CREATE TABLE changes (number INTEGER PRIMARY KEY AUTOINCREMENT, vbert TEXT);
          """)
      try db.execute(
        sql: "INSERT INTO tenants (name, weight, created) VALUES (?, ?, ?)",
        arguments: [
          TenantRecord.defaultName.text, VirtualProcessor.standard.weight,
          Date().timeIntervalSince1970,
        ])
    }
    // A tenant's vBERT by name without a look at anybody else's: the same pages, found or not.
    migrator.registerMigration("vbertsByTenantAndName") { db in
      try db.execute(sql: "CREATE INDEX vbertsByTenantAndName ON vberts(tenant, name)")
    }
    // A home that has keys was closed by them.
    migrator.registerMigration("access") { db in
      try db.execute(
        sql: """
          INSERT OR IGNORE INTO settings (key, value) SELECT 'access',
            CASE WHEN EXISTS(SELECT 1 FROM tenants WHERE keyHash IS NOT NULL)
              THEN 'closed' ELSE 'open' END
          """)
    }
    return migrator
  }
}
