internal import Files
internal import GRDB

extension Registry {
  /// Throws `storage` where pages or indices contradict each other: what is read of such a registry may be
  /// less than was written, without an error. Reads all of the file, on a connection of its own, which
  /// look-ups do not wait for.
  package func checkSoundness() throws(RegistryError) {
    let path = home.registry.filePath
    let found = try storage(path) {
      var setup = GRDB.Configuration()
      setup.readonly = true
      let connection = try DatabaseQueue(path: path, configuration: setup)
      return try connection.read { try String.fetchOne($0, sql: "PRAGMA integrity_check(1)") }
    }
    guard found == "ok" else {
      throw .storage(
        path: path,
        why: "it is damaged (\(found?.split(separator: "\n").last ?? "no answer")); "
          + "put it back from a backup")
    }
  }
}
