/// What the registry refuses, or cannot do.
package enum RegistryError: Error, Equatable, CustomStringConvertible {
  case invalidName(String)
  case vbertExists(String)
  case noVBERT(String)
  case noVersion(vbert: String, number: Int, have: [Int])
  case tenantExists(String)
  case noTenant(String)
  case defaultTenant
  case tenantHasVBERTs(tenant: String, count: Int)
  case invalidWeight(Double)
  /// Made by a newer vbert.
  case newer(schema: String)
  /// SQLite's own complaint: a full disk, a damaged file, no permission.
  case storage(path: String, why: String)

  package var description: String {
    switch self {
    case .invalidName(let name):
      """
      "\(clipped(name))" is no valid name: use 1 to 128 of A-Z a-z 0-9 . _ -, \
      starting with a letter or a digit
      """
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
    case .newer(let schema):
      "the registry was made by a newer vbert (\(schema)); use that one, or another --home"
    case .storage(let path, let why): "the registry \(path) cannot be used: \(why)"
    }
  }
}

/// Short enough for an error message, whatever a user put into it.
func clipped(_ text: String) -> String {
  let scalars = text.unicodeScalars
  return scalars.count <= 80 ? text : String(String.UnicodeScalarView(scalars.prefix(80))) + "…"
}
