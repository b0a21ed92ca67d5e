internal import Model

/// What the registry refuses, or cannot do.
package enum RegistryError: Error, Equatable, CustomStringConvertible {
  case vbertExists(String)
  case noVBERT(String)
  case noVersion(vbert: String, number: Int, have: [Int])
  case tenantExists(String)
  case noTenant(String)
  case defaultTenant
  case tenantHasVBERTs(tenant: String, count: Int)
  case invalidWeight(Double)
  /// The registry is missing, empty or new, and the folder beside it holds blobs.
  case lost(registry: String, adapters: String)
  /// The registry and the folder of blobs belong to different homes.
  case foreign(registry: String, own: String, adapters: String, folder: String)
  /// The folder says not whose it is, and the registry knows none of its blobs.
  case unknownBlobs(registry: String, adapters: String)
  case unreadableMarker(path: String)
  /// A database of some other program.
  case notOurs(path: String)
  /// A row that does not hold what we write into it.
  case damaged(table: String, column: String, why: String)
  /// Another process has held the lock for changes for 30 seconds.
  case busy(path: String)
  /// The data directory does not let itself be locked.
  case home(HomeError)
  /// Made by a newer vbert.
  case newer(schema: String)
  /// SQLite's own complaint: a full disk, a damaged file, no permission.
  case storage(path: String, why: String)

  package var description: String {
    switch self {
    case .vbertExists(let name):
      "a vBERT named \(name) exists already (names are unique across the server); "
        + "choose another name or delete it first"
    case .noVBERT(let name):
      "there is no vBERT named \(clipped(name)); vbert list shows those that exist"
    case .noVersion(let vbert, let number, let have):
      "\(vbert) has no version \(number); it has "
        + (have.isEmpty ? "none yet" : have.map(String.init).joined(separator: ", "))
    case .tenantExists(let name): "a tenant named \(name) exists already; choose another name"
    case .noTenant(let name):
      "there is no tenant named \(clipped(name)); make it with vbert tenant create"
    case .defaultTenant: "the tenant default cannot be deleted"
    case .tenantHasVBERTs(let tenant, let count):
      "tenant \(tenant) still has \(count) vBERTs; delete them first, or all with --with-vberts"
    case .invalidWeight(let weight): "a weight of \(weight) is not possible; use 0.01 to 100"
    case .lost(let registry, let adapters):
      """
      the registry \(registry) is missing or empty, but \(adapters) holds trained parameters; nothing was \
      changed. Put the registry back from a backup (with its -wal file, if there is one). To begin anew, \
      use another --home, or move \(adapters) away
      """
    case .foreign(let registry, let own, let adapters, let folder):
      """
      \(registry) is not the registry of the parameters in \(adapters) (it is of home \(own), they are of \
      home \(folder)); nothing was changed. Bring the two back together from one backup, or use another \
      --home
      """
    case .unknownBlobs(let registry, let adapters):
      """
      \(registry) knows none of the parameters in \(adapters); nothing was changed. If they are of another \
      home, put that one's registry here; if they are nobody's, move \(adapters) away
      """
    case .unreadableMarker(let path):
      "\(path) should say which home these parameters belong to, and cannot be read; nothing was changed. "
        + "Put it back from a backup, or remove this one file if the registry beside it is the right one"
    case .notOurs(let path):
      "\(path) is a database, but not a registry of vbert; nothing was changed. Use another --home"
    case .damaged(let table, let column, let why):
      "the registry's table \(table) is damaged: \(column) \(why); put the registry back from a backup"
    case .busy(let path):
      "another process has held the lock of \(path) for 30 s; try again, or find out which one it is "
        + "(fuser \(path))"
    case .home(let error): error.description
    case .newer(let schema):
      "the registry was made by a newer vbert (\(schema)); use that one, or another --home"
    case .storage(let path, let why): "the registry \(path) cannot be used: \(why)"
    }
  }
}
