internal import Compute
internal import Files
internal import Foundation
internal import GRDB
internal import Synchronization

/// Who there is (tenants), what they have (vBERTs and their versions) and what is being made (jobs):
/// one SQLite file that a server and command lines share. The `RegistryStore` of a machine on its own.
///
/// What a call returns from is on the disk (WAL, synchronous=FULL): neither kill -9 nor a power cut
/// takes it back. Any thread may call; writers wait for each other, across processes too, up to 30
/// seconds. Everything throws `RegistryError`.
package final class Registry: RegistryStore {
  package let home: Home
  /// Changes go through one connection and look-ups through the other: a look-up never waits for a
  /// change's fsync, and sees this process's changes in the same way as any other's.
  private let writer: DatabaseQueue
  private let reader: DatabaseQueue
  private let index: Mutex<RegistryIndex>
  /// On the reader's connection.
  private let watch: CommitWatch?

  /// Opens the registry of this home; makes directories, file, tables and the tenant `default`
  /// where they are missing, and ends the jobs that died with their process. A registry that is not
  /// the one of the blobs beside it is refused (`lost`, `foreign`, `unknownBlobs`): they would be
  /// collected on its word.
  ///
  /// `remembered` bounds what is kept in memory for `find`, in bytes: about 1 KB a vBERT, more where
  /// it has many labels.
  package init(home: Home, remembered: Int = 100 << 20) throws {
    self.home = home
    try Self.checkPresence(home)
    try home.create()
    let path = home.registry.filePath
    let connections = try storage(path) {
      var setup = GRDB.Configuration()
      setup.busyMode = .timeout(30)
      setup.prepareDatabase { db in
        try db.execute(sql: "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL")
      }
      let writer = try DatabaseQueue(path: path, configuration: setup)
      try Self.prepare(writer, home: home)
      // SQLite makes them as the umask lets, the two others as the first.
      for suffix in ["", "-wal", "-shm"] { HomeModes.tighten(path + suffix) }
      var look = GRDB.Configuration()
      look.readonly = true
      look.busyMode = .timeout(30)
      return (writer, try DatabaseQueue(path: path, configuration: look))
    }
    (writer, reader) = connections
    index = Mutex(RegistryIndex(byteCount: remembered))
    let reader = connections.1
    watch = try storage(path) {
      try reader.unsafeRead { db in
        // The WAL index is there once something was read.
        _ = try Int.fetchOne(db, sql: "SELECT COUNT(*) FROM sqlite_schema")
        return unsafe db.sqliteConnection.flatMap { unsafe CommitWatch($0) }
      }
    }
    try endInterruptedJobs()
    try requeueInterrupted()
  }

  /// The writer last: the last connection of all folds the WAL into the file, and a reader cannot.
  deinit {
    try? reader.close()
    try? writer.close()
  }

  /// How often `find` has asked SQLite, and how many vBERTs it remembers.
  var lookUps: (asked: Int, remembered: Int) { index.withLock { ($0.asked, $0.vberts.count) } }

  /// Runs `body` in a transaction that is on the disk when this returns.
  func write<Result>(_ body: (Database) throws -> Result) throws(RegistryError) -> Result {
    try storage(home.registry.filePath) {
      try writer.write { db in
        _ = try Self.actingKey(db)
        return try body(db)
      }
    }
  }

  /// The same for what is not worth waiting for: throws `busy` at once where another holds the lock.
  func writeAtOnce(_ body: (Database) throws -> Void) throws(RegistryError) {
    try storage(home.registry.filePath) {
      try writer.writeWithoutTransaction { db in
        try db.execute(sql: "PRAGMA busy_timeout = 50")
        defer { try? db.execute(sql: "PRAGMA busy_timeout = 30000") }
        try db.inTransaction(.immediate) {
          try body(db)
          return .commit
        }
      }
    }
  }

  /// Runs `body` on one state of the database.
  func read<Result>(_ body: (Database) throws -> Result) throws(RegistryError) -> Result {
    try storage(home.registry.filePath) { try reader.read(body) }
  }

  /// What is `known`, else what `ask` finds: on what is remembered, after forgetting what any process
  /// has changed since. Where nothing was committed since the last look, SQLite is not asked.
  func look<Result: Sendable>(
    _ known: (inout RegistryIndex) -> Result?,
    ask: (inout RegistryIndex, Database) throws -> Result
  ) throws(RegistryError) -> Result {
    if let mark = watch?.mark {
      let found = index.withLock { index in index.mark == mark ? known(&index) : nil }
      if let found { return found }
    }
    return try storage(home.registry.filePath) {
      try reader.unsafeRead { db in
        try index.withLock { index in
          // Taken first: what is committed during the look changes it.
          let mark = watch?.mark
          try index.catchUp(db)
          index.mark = mark
          return try known(&index) ?? ask(&index, db)
        }
      }
    }
  }
}

/// SQLite's complaints as the registry's; its own errors as they are.
func storage<Result>(
  _ path: String, _ body: () throws -> Result
) throws(RegistryError) -> Result {
  do { return try body() } catch let error as RegistryError { throw error } catch {
    let sqlite = error as? DatabaseError
    if sqlite?.resultCode == .SQLITE_BUSY { throw .busy(path: path) }
    var why = sqlite?.message ?? "\(error)"
    if [.SQLITE_CANTOPEN, .SQLITE_READONLY].contains(sqlite?.resultCode) {
      why +=
        "; whoever runs vbert must be allowed to write to it and to its directory, list and predict too"
    }
    if [.SQLITE_NOTADB, .SQLITE_CORRUPT].contains(sqlite?.resultCode) {
      why += "; put it back from a backup (with its -wal file, if there is one)"
    }
    if [.SQLITE_FULL, .SQLITE_IOERR].contains(sqlite?.resultCode) {
      why += "; make room on its disk; if there is room, the disk fails: look at the system's log"
    }
    throw .storage(path: path, why: why)
  }
}
