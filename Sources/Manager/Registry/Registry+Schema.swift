internal import Files
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
    if try database.read(migrator.hasCompletedMigrations) { return }
    let applied = Set(try database.read(migrator.appliedIdentifiers))
    if let last = migrator.migrations.last, !applied.isEmpty {
      try keep(database, as: database.path + ".before-\(last)", applied: applied)
    }
    try migrator.migrate(database)
  }

  /// Gives a table another shape, with these columns of every row: SQLite's own recipe for what ALTER TABLE
  /// cannot do (https://www.sqlite.org/lang_altertable.html, section 7). Numbers of rows that are gone are not
  /// given again; the table's indices go. Foreign keys are checked at the migration's end.
  private static func recreate(
    _ table: String, columns: String, as shape: String, _ db: Database
  ) throws {
    try db.execute(
      sql: """
        CREATE TABLE \(table)Anew (\(shape));
        INSERT INTO \(table)Anew (\(columns)) SELECT \(columns) FROM \(table);
        DELETE FROM sqlite_sequence WHERE name = '\(table)Anew';
        INSERT INTO sqlite_sequence (name, seq)
          SELECT '\(table)Anew', seq FROM sqlite_sequence WHERE name = '\(table)';
        DROP TABLE \(table);
        ALTER TABLE \(table)Anew RENAME TO \(table);
        """)
  }

  /// A copy of the registry as it was, whole or not at all. One that is there already stays: of a change
  /// that was interrupted it is the older one, and else another home's of before, or a backup's.
  private static func keep(
    _ database: DatabaseQueue, as path: String, applied: Set<String>
  ) throws {
    var (free, number) = (path, 1)
    while FileManager.default.fileExists(atPath: free) {
      if try steps(of: free).isStrictSubset(of: applied) { return }
      number += 1
      free = "\(path)-\(number)"
    }
    let part = path + ".part"
    try? FileManager.default.removeItem(atPath: part)
    try database.writeWithoutTransaction { db in
      try db.execute(sql: "VACUUM INTO ?", arguments: [part])
    }
    HomeModes.tighten(part)
    try AtomicFile.replace(free, by: part)
  }

  /// What a kept copy had gone through.
  private static func steps(of path: String) throws -> Set<String> {
    var setup = GRDB.Configuration()
    setup.readonly = true
    return try DatabaseQueue(path: path, configuration: setup).read { db in
      try String.fetchSet(db, sql: "SELECT identifier FROM grdb_migrations")
    }
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
    // A name belongs to a tenant.
    migrator.registerMigration("namesOfTenants") { db in
      try recreate(
        "vberts", columns: "id, name, tenant, spec, current, created",
        as: """
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          name TEXT NOT NULL,
          tenant INTEGER NOT NULL REFERENCES tenants(id),
          spec TEXT NOT NULL,
          current INTEGER NOT NULL,
          created REAL NOT NULL
          """, db)
      try db.execute(sql: "CREATE UNIQUE INDEX vbertsByTenantAndName ON vberts(tenant, name)")
    }
    // Several keys a tenant, each with scopes; the one that it had may do everything inside it.
    migrator.registerMigration("keys") { db in
      try db.execute(
        sql: """
          CREATE TABLE keys (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            tenant INTEGER NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
            label TEXT NOT NULL,
            hash BLOB NOT NULL UNIQUE,
            scopes TEXT NOT NULL,
            created REAL NOT NULL,
            expires REAL,
            used REAL);
          CREATE UNIQUE INDEX keysByTenantAndLabel ON keys(tenant, label);
          """)
      try db.execute(
        sql: """
          INSERT INTO keys (tenant, label, hash, scopes, created)
            SELECT id, ?, keyHash, ?, created FROM tenants WHERE keyHash IS NOT NULL
          """, arguments: [Name.first.text, Scopes.standard.description])
      try recreate(
        "tenants", columns: "id, name, weight, created",
        as: """
          id INTEGER PRIMARY KEY AUTOINCREMENT,
          name TEXT NOT NULL UNIQUE,
          weight REAL NOT NULL,
          created REAL NOT NULL
          """, db)
    }
    // Every change, appended in its own transaction.
    migrator.registerMigration("audit") { db in
      try db.execute(
        sql: """
          CREATE TABLE audit (
            number INTEGER PRIMARY KEY AUTOINCREMENT,
            time REAL NOT NULL,
            actor TEXT NOT NULL,
            action TEXT NOT NULL,
            tenant TEXT,
            object TEXT NOT NULL,
            detail TEXT NOT NULL);
          CREATE INDEX auditByTenant ON audit(tenant, number);
          CREATE INDEX auditByTime ON audit(time);
          """)
    }
    // What a tenant may use, beside its weight: JSON, nothing for as much as there is.
    migrator.registerMigration("quotas") { db in
      try db.execute(sql: "ALTER TABLE tenants ADD COLUMN quota TEXT NOT NULL DEFAULT '{}'")
    }
    // By the tenant's name: what was used is there when the tenant is gone.
    migrator.registerMigration("usage") { db in
      try db.execute(
        sql: """
          CREATE TABLE usage (
            day INTEGER NOT NULL,
            tenant TEXT NOT NULL,
            requests INTEGER NOT NULL,
            tokens INTEGER NOT NULL,
            PRIMARY KEY (day, tenant)) WITHOUT ROWID;
          """)
    }
    migrator.registerMigration("fineTunings", migrate: fineTunings)
    // The vBERT, as tenant/name, that a key asks where a request names none. A name: whose it is, and whether
    // there is one, is looked up when it is asked.
    migrator.registerMigration("keyDefaults") { db in
      try db.execute(sql: "ALTER TABLE keys ADD COLUMN vbert TEXT")
    }
    return migrator
  }

  /// Files that tenants brought, the fine-tunings that learn from them, what happened on the way, and batches. A vBERT
  /// that is deleted leaves its fine-tunings; a tenant takes all with it.
  private static func fineTunings(_ db: Database) throws {
    try db.execute(
      sql: """
        CREATE TABLE files (
          number INTEGER PRIMARY KEY AUTOINCREMENT,
          id TEXT NOT NULL UNIQUE,
          tenant INTEGER NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
          name TEXT NOT NULL,
          purpose TEXT NOT NULL,
          bytes INTEGER NOT NULL,
          report TEXT NOT NULL,
          created REAL NOT NULL);
        CREATE INDEX filesOfTenant ON files(tenant, number);
        CREATE UNIQUE INDEX filesByTenantAndId ON files(tenant, id);
        CREATE TABLE fineTunings (
          number INTEGER PRIMARY KEY AUTOINCREMENT,
          id TEXT NOT NULL UNIQUE,
          tenant INTEGER NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
          vbert INTEGER NOT NULL,
          name TEXT NOT NULL,
          model TEXT NOT NULL,
          wish TEXT NOT NULL,
          metadata TEXT NOT NULL,
          state TEXT NOT NULL,
          asked TEXT,
          lock TEXT,
          attempts INTEGER NOT NULL,
          created REAL NOT NULL,
          started REAL,
          finished REAL,
          error TEXT,
          version INTEGER,
          tokens INTEGER);
        CREATE INDEX fineTuningsOfTenant ON fineTunings(tenant, number);
        CREATE UNIQUE INDEX fineTuningsByTenantAndId ON fineTunings(tenant, id);
        CREATE INDEX fineTuningsStarted ON fineTunings(tenant, started);
        CREATE INDEX openFineTunings ON fineTunings(state, tenant, number)
          WHERE state IN ('queued', 'running', 'paused');
        CREATE TABLE fineTuningEvents (
          number INTEGER PRIMARY KEY AUTOINCREMENT,
          fineTuning INTEGER NOT NULL REFERENCES fineTunings(number) ON DELETE CASCADE,
          time REAL NOT NULL,
          level TEXT NOT NULL,
          text TEXT NOT NULL,
          data TEXT NOT NULL);
        CREATE INDEX eventsOfFineTuning ON fineTuningEvents(fineTuning, number);
        CREATE TABLE batches (
          number INTEGER PRIMARY KEY AUTOINCREMENT,
          id TEXT NOT NULL UNIQUE,
          tenant INTEGER NOT NULL REFERENCES tenants(id) ON DELETE CASCADE,
          endpoint TEXT NOT NULL,
          input TEXT NOT NULL,
          output TEXT NOT NULL,
          errors TEXT NOT NULL,
          metadata TEXT NOT NULL,
          state TEXT NOT NULL,
          progress TEXT NOT NULL,
          created REAL NOT NULL,
          started REAL,
          cancelling REAL,
          finished REAL,
          error TEXT,
          turn REAL NOT NULL);
        CREATE UNIQUE INDEX batchesByTenantAndId ON batches(tenant, id);
        CREATE INDEX openBatches ON batches(turn, number) WHERE finished IS NULL;
        ALTER TABLE jobs ADD COLUMN fineTuning INTEGER;
        ALTER TABLE usage ADD COLUMN trainingRows INTEGER NOT NULL DEFAULT 0;
        """)
  }
}
