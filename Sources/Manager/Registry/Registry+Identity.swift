internal import Files
internal import Foundation
internal import GRDB

extension Registry {
  /// Refuses a home whose registry file is gone while its blobs are there, before anything is made.
  /// Throws `RegistryError.lost`.
  static func checkPresence(_ home: Home) throws(RegistryError) {
    let path = home.registry.filePath
    if FileManager.default.fileExists(atPath: path) { return }
    if BlobFiles(home).holdAny { throw lost(home) }
  }

  /// Brings the file to this program's schema, and registry and blobs under one identity, once
  /// nothing speaks against it. Locked: two processes may start at once. Throws `newer`, `notOurs`,
  /// `lost`, `foreign`, `unknownBlobs`, `unreadableMarker`, and what SQLite or the disk says; then
  /// neither has changed.
  static func prepare(_ database: DatabaseQueue, home: Home) throws {
    let lock = try home.lock("migrate", wait: true)
    defer { withExtendedLifetime(lock) {} }
    let isNew = try database.read { try !hasTables($0) }
    if !isNew, try database.read({ try !$0.tableExists("grdb_migrations") }) {
      throw RegistryError.notOurs(path: home.registry.filePath)
    }
    let own = isNew ? nil : try database.read(identity)
    let marker = try HomeIdentity.marker(in: home.adapters)
    if let own, own == marker { return try migrate(database) }
    let identity = try adopt(database, home, own: own, marker: marker, isNew: isNew)
    try migrate(database)
    // The registry first: a folder without a mark is adopted again, but one whose mark no registry
    // has would be another's.
    if own == nil {
      try database.write { try set(identityKey, to: identity, $0) }
    }
    try HomeIdentity.mark(home.adapters, as: identity)
  }

  /// The identity under which the two may go together; throws where they may not.
  private static func adopt(
    _ database: DatabaseQueue, _ home: Home, own: String?, marker: String?, isNew: Bool
  ) throws -> String {
    let files = BlobFiles(home)
    let seen = HomeIdentity.Sight(
      registry: own, folder: marker, registryIsNew: isNew, holdsBlobs: files.holdAny,
      knowsOne: isNew ? false : try database.read { try knowsOne($0, files) })
    let (registry, adapters) = (
      home.registry.filePath, home.adapters.filePath
    )
    switch HomeIdentity.judge(seen, fresh: HomeIdentity.make()) {
    case .adopt(let identity): return identity
    case .lost: throw lost(home)
    case .foreign(let own, let folder):
      throw RegistryError.foreign(
        registry: registry, own: own ?? "none", adapters: adapters, folder: folder)
    case .unknown: throw RegistryError.unknownBlobs(registry: registry, adapters: adapters)
    }
  }

  private static let identityKey: String = "home"

  private static func identity(_ db: Database) throws -> String? {
    try db.tableExists("settings") ? setting(identityKey, db) : nil
  }

  private static func hasTables(_ db: Database) throws -> Bool {
    try Bool.fetchOne(db, sql: "SELECT EXISTS(SELECT 1 FROM sqlite_schema)") ?? false
  }

  /// Whether a file is there for one at least of the blobs that versions name.
  private static func knowsOne(_ db: Database, _ files: BlobFiles) throws -> Bool {
    guard try db.tableExists("versions") else { return false }
    let known = try String.fetchCursor(db, sql: "SELECT blob FROM versions WHERE blob IS NOT NULL")
    while let blob = try known.next() {
      if BlobKey.isValid(blob), FileKind(files.url(blob)) == .file { return true }
    }
    return false
  }

  private static func lost(_ home: Home) -> RegistryError {
    .lost(
      registry: home.registry.filePath,
      adapters: home.adapters.filePath)
  }
}
