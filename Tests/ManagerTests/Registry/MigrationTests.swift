import Foundation
import GRDB
import Model
import Testing

@testable import Manager

/// Homes of older vberts are brought up in place, once, and what was is kept beside.
@Suite struct MigrationTests {
  let temporary = TemporaryHome()

  /// As the last vbert whose names were unique across tenants left it.
  private func oldHome() throws {
    try FileManager.default.createDirectory(
      at: temporary.home.root, withIntermediateDirectories: true)
    let spec = try String(decoding: JSONEncoder().encode(VBertSpec.embedder), as: UTF8.self)
    try DatabaseQueue(path: temporary.home.registry.path()).write { db in
      try db.execute(
        sql: """
          CREATE TABLE grdb_migrations (identifier TEXT NOT NULL PRIMARY KEY);
          INSERT INTO grdb_migrations VALUES ('1'), ('vbertsByTenantAndName'), ('access');
          CREATE TABLE tenants (
            id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, keyHash BLOB UNIQUE,
            weight REAL NOT NULL, created REAL NOT NULL);
          CREATE TABLE vberts (
            id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,
            tenant INTEGER NOT NULL REFERENCES tenants(id), spec TEXT NOT NULL,
            current INTEGER NOT NULL, created REAL NOT NULL);
          CREATE INDEX vbertsOfTenant ON vberts(tenant);
          CREATE INDEX vbertsByTenantAndName ON vberts(tenant, name);
          CREATE TABLE versions (
            vbert INTEGER NOT NULL REFERENCES vberts(id) ON DELETE CASCADE, number INTEGER NOT NULL,
            spec TEXT NOT NULL, blob TEXT UNIQUE, sha256 BLOB, bytes INTEGER NOT NULL,
            metrics TEXT NOT NULL, note TEXT NOT NULL, created REAL NOT NULL,
            PRIMARY KEY (vbert, number)) WITHOUT ROWID;
          CREATE TABLE jobs (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            vbert INTEGER NOT NULL REFERENCES vberts(id) ON DELETE CASCADE, state TEXT NOT NULL,
            lock TEXT NOT NULL, started REAL NOT NULL, updated REAL NOT NULL, finished REAL,
            error TEXT, metrics TEXT NOT NULL);
          CREATE INDEX jobsOfVBERT ON jobs(vbert);
          CREATE INDEX runningJobs ON jobs(state) WHERE state = 'running';
          CREATE TABLE settings (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
          CREATE TABLE changes (number INTEGER PRIMARY KEY AUTOINCREMENT, vbert TEXT);
          INSERT INTO settings VALUES ('access', 'closed');
          INSERT INTO changes (vbert) VALUES ('mood'), (NULL);
          INSERT INTO tenants (name, keyHash, weight, created) VALUES
            ('default', NULL, 1, 1e9), ('acme', x'01', 2, 1e9), ('left', x'02', 1, 1e9);
          DELETE FROM tenants WHERE name = 'left';
          """)
      for (name, tenant) in [("mood", 2), ("topic", 1), ("gone", 1)] {
        try db.execute(
          sql: "INSERT INTO vberts (name, tenant, spec, current, created) VALUES (?, ?, ?, 1, 1e9)",
          arguments: [name, tenant, spec])
        try db.execute(
          sql: """
            INSERT INTO versions VALUES (?, 1, ?, NULL, NULL, 0, '{"accuracy":0.5}', 'created', 1e9)
            """, arguments: [db.lastInsertedRowID, spec])
      }
      try db.execute(
        sql: """
          INSERT INTO jobs (vbert, state, lock, started, updated, finished, metrics)
            VALUES (1, 'done', 'job-x', 1e9, 1e9, 1e9, '{}');
          DELETE FROM vberts WHERE name = 'gone';
          """)
    }
  }

  @Test func namesBecomeTheirTenants() throws {
    try oldHome()
    let registry = try temporary.registry()
    #expect(try registry.list().map(\.name) == ["acme/mood", "topic"])
    #expect(try registry.find("mood") == nil)
    let mood = try registry.vbert("acme/mood")
    #expect(mood.id == 1 && mood.version == VersionID(vbert: 1, number: 1))
    #expect(try registry.versions(of: "acme/mood").map(\.metrics) == [["accuracy": 0.5]])
    #expect(try registry.jobs(of: "acme/mood").map(\.state) == [.done])
    #expect(try registry.isClosed())
    // The key that it had may do everything inside its tenant.
    let keys = try registry.keys(of: nil, after: nil, limit: 9)
    #expect(keys.map(\.tenant) == ["acme"] && keys.map(\.scopes) == [.standard])
    #expect(try registry.listTenants(after: nil, limit: 9).map(\.keys) == [1, 0])
    _ = try registry.createTenant("new")
    #expect(try registry.tenant(named: "new").id == 4)
    // Numbers of vBERTs that are gone are not given again, and a name may be there twice.
    #expect(try registry.create(vbert: "mood", spec: .embedder).id == 4)
    // What belongs to a vBERT still goes with it, and nothing points nowhere.
    try registry.delete(vbert: "acme/mood")
    let file = try DatabaseQueue(path: temporary.home.registry.path())
    let (versions, jobs, loose, integrity) = try file.read { db in
      (
        try Int.fetchAll(db, sql: "SELECT vbert FROM versions ORDER BY vbert"),
        try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM jobs"),
        try Row.fetchAll(db, sql: "PRAGMA foreign_key_check").count,
        try String.fetchOne(db, sql: "PRAGMA integrity_check")
      )
    }
    #expect(versions == [2, 4] && jobs == 0 && loose == 0 && integrity == "ok")
  }

  @Test func theOldFileIsKept() throws {
    try oldHome()
    let name = try kept(after: { _ = try temporary.registry() })
    let path = temporary.home.root.appending(path: name).path()
    let modes = try FileManager.default.attributesOfItem(atPath: path)
    #expect(modes[.posixPermissions] as? Int == 0o600)
    try DatabaseQueue(path: path).read { db in
      let names = try String.fetchAll(db, sql: "SELECT name FROM vberts ORDER BY name")
      #expect(names == ["mood", "topic"])
      let steps = try String.fetchAll(db, sql: "SELECT identifier FROM grdb_migrations")
      #expect(Set(steps) == ["1", "vbertsByTenantAndName", "access"])
    }
    // Once: what is opened again is not copied again.
    let before = try Data(contentsOf: URL(filePath: path))
    _ = try temporary.registry().create(vbert: "new", spec: .embedder)
    _ = try temporary.registry()
    let after = try Data(contentsOf: URL(filePath: path))
    #expect(after == before)
  }

  /// A copy that an interrupted start left half written stands in nobody's way.
  @Test func aHalfCopyIsWrittenAnew() throws {
    try oldHome()
    let name = try kept(after: { _ = try temporary.registry() })
    try FileManager.default.removeItem(at: temporary.home.root)
    try oldHome()
    try Data("half".utf8).write(to: temporary.home.root.appending(path: name + ".part"))
    let again = try kept(after: { _ = try temporary.registry() })
    #expect(again == name)
    let files = try FileManager.default.contentsOfDirectory(atPath: temporary.home.root.path())
    #expect(!files.contains { $0.hasSuffix(".part") })
  }

  /// A change that was interrupted goes on, and what was before all of it stays kept; a home that is put
  /// back and changed again is kept beside.
  @Test func theOldestIsKept() throws {
    try oldHome()
    let name = try kept(after: { _ = try temporary.registry() })
    let path = temporary.home.root.appending(path: name).path()
    let first = try Data(contentsOf: URL(filePath: path))
    // As if the last step had not come: its table is gone, and nothing says that it was.
    try DatabaseQueue(path: temporary.home.registry.path()).write { db in
      try db.execute(
        sql: "DROP TABLE usage; DELETE FROM grdb_migrations WHERE identifier = 'usage'")
    }
    _ = try temporary.registry()
    let after = try Data(contentsOf: URL(filePath: path))
    #expect(after == first)
    func copies() throws -> [String] {
      try FileManager.default.contentsOfDirectory(atPath: temporary.home.root.path())
        .filter { $0.contains("before") }.sorted()
    }
    #expect(try copies() == [name])
    // The old one put back, with something new in it.
    for suffix in ["", "-wal", "-shm"] {
      try? FileManager.default.removeItem(atPath: temporary.home.registry.path() + suffix)
    }
    try first.write(to: temporary.home.registry)
    _ = try temporary.registry()
    #expect(try copies() == [name, name + "-2"])
    #expect(try Data(contentsOf: URL(filePath: path)) == first)
  }

  @Test func aNewHomeHasNothingToKeep() throws {
    _ = try temporary.registry()
    let files = try FileManager.default.contentsOfDirectory(atPath: temporary.home.root.path())
    #expect(!files.contains { $0.contains("before") })
  }

  /// The name of the copy that is there after `open`.
  private func kept(after open: () throws -> Void) throws -> String {
    try open()
    let files = try FileManager.default.contentsOfDirectory(atPath: temporary.home.root.path())
    return try #require(files.first { $0.hasPrefix("registry.sqlite.before-") })
  }
}
