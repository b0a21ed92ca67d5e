internal import Foundation
internal import Model

/// What the registry refuses, or cannot do.
package enum RegistryError: Error, Equatable, CustomStringConvertible {
  case vbertExists(String)
  /// `others`: those of the same name that other tenants have, for the operator's eyes.
  case noVBERT(String, others: [String] = [])
  case noVersion(vbert: String, number: Int, have: [Int])
  case tenantExists(String)
  case noTenant(String)
  case defaultTenant
  case keyExists(label: String)
  case noKey(label: String)
  /// The key that a change is made with is gone, or its end has come.
  case lostKey
  /// A key's label and scopes; what it would need: those of the key that it makes or changes, and no earlier end.
  case beyondKey(label: String, has: [String], needs: [String])
  case tenantHasVBERTs(tenant: String, count: Int)
  case noFile(String)
  /// A fine-tuning that is not over learns from it.
  case fileInUse(String, by: String)
  case noFineTuning(String)
  case noBatch(String)
  case batchIsOver(String, state: String)
  case fineTuningIsOver(String, state: String)
  /// Fine-tunings of one tenant.
  case tooManyWaiting(most: Int)
  case invalidWeight(Double)
  case invalidLimit(name: String, least: Double)
  case burstAlone
  /// What a tenant's processor allows of vBERTs or bytes.
  case overQuota(tenant: String, limit: String, most: Int)
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
      "a vBERT named \(name) exists already; choose another name or delete it first"
    case .noVBERT(let name, let others):
      "there is no vBERT named \(clipped(name))"
        + (others.isEmpty
          ? "; vbert list shows those that exist"
          : ", but \(others.joined(separator: ", ")); write TENANT/NAME for another tenant's")
    case .noVersion(let vbert, let number, let have):
      "\(vbert) has no version \(number); it has "
        + (have.isEmpty ? "none yet" : have.map(String.init).joined(separator: ", "))
    case .tenantExists(let name): "a tenant named \(name) exists already; choose another name"
    case .noTenant(let name):
      "there is no tenant named \(clipped(name)); make it with vbert tenant create"
    case .defaultTenant: "the tenant default cannot be deleted"
    case .keyExists(let label):
      "there is a key \(label) already; choose another label, or revoke or rotate that one"
    case .lostKey:
      "the key that this was asked with was revoked or has expired meanwhile; nothing was changed"
    case .beyondKey(let label, let has, let needs):
      "the key \(label) may \(has.joined(separator: ", ")); this needs \(needs.joined(separator: ", ")), "
        + "and a key that lasts as long"
    case .noKey(let label): "there is no key \(clipped(label)); list them to see which there are"
    case .tenantHasVBERTs(let tenant, let count):
      "tenant \(tenant) still has \(count) vBERTs; delete them first, or all with --with-vberts"
    case .noFile(let id): "there is no file \(clipped(id)); bring it with POST /v1/files"
    case .fileInUse(let id, let user):
      "the fine-tuning \(user) learns from \(id); cancel it first, or wait for its end"
    case .noBatch(let id): "there is no batch \(clipped(id))"
    case .batchIsOver(let id, let state): "\(id) is over (\(state))"
    case .noFineTuning(let id): "there is no fine-tuning \(clipped(id))"
    case .fineTuningIsOver(let id, let state):
      "\(id) is over (\(state)): nothing more can be asked of it"
    case .tooManyWaiting(let most):
      "\(most) of this tenant wait already; come back when some are done"
    case .invalidLimit(let name, let least):
      "\(name): a number from \(least.formatted()) on was expected"
    case .burstAlone: "burst: it says how many of tokens_per_second may gather: give both"
    case .overQuota(let tenant, let limit, let most):
      "tenant \(tenant) may have \(limit) \(most), and this would be more; delete what is not needed, or let the "
        + "operator raise it (vbert tenant quota)"
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
