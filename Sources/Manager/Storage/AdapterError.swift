/// What can be wrong with one vBERT's parameters; nobody else's are touched by it.
package enum AdapterError: Error, Equatable, CustomStringConvertible {
  /// The version, or its vBERT, was deleted.
  case gone(VersionID)
  /// The file of this version is missing, cut short, changed, or not what the registry says.
  case corrupt(vbert: String, version: Int, why: String)
  /// The version is as it was published, but the base or the device does not take it.
  case unloadable(vbert: String, version: Int, why: String)
  /// Parameters that do not belong to the specification were to be published.
  case unfit(vbert: String, why: String)
  /// The disk refused the new file.
  case unwritable(vbert: String, why: String)
  case registry(RegistryError)
  /// What was trained could not be published, and lies in this directory.
  case kept(vbert: String, path: String, why: String)

  package var description: String {
    switch self {
    case .gone(let id): "version \(id.number) of vBERT #\(id.vbert) has been deleted"
    case .corrupt(let vbert, let version, let why):
      "\(vbert) version \(version) is damaged: \(why); "
        + "roll back to another version, train it again or import it from an export"
    case .unloadable(let vbert, let version, let why):
      "\(vbert) version \(version) cannot be loaded: \(why)"
    case .unfit(let vbert, let why):
      "these parameters do not fit \(vbert): \(why)"
    case .unwritable(let vbert, let why):
      "the new version of \(vbert) cannot be stored: \(why); nothing has changed"
    case .registry(let error): error.description
    case .kept(let vbert, let path, let why):
      "what was trained for \(vbert) is not published: \(why). It is kept in \(path); publish it with: "
        + "vbert import \(path) --into \(vbert)"
    }
  }
}
