/// Why a base cannot be imported, made, read or removed.
package enum BaseError: Error, Equatable, CustomStringConvertible {
  case invalidName(String)
  case exists(name: String)
  case noBase(name: String, known: [String])
  /// No Hugging Face model where one was expected.
  case noModel(path: String)
  case severalModels(path: String, folders: [String])
  /// Weights are there, but as a Python pickle.
  case pickle(path: String, file: String)
  case unsupported(path: String, what: String)
  /// Files that contradict each other or their own format.
  case invalid(path: String, what: String)
  case invalidDepth(Int, layers: Int)
  /// Only an ordinary base can be made into a skip base.
  case alreadySkip(name: String)
  /// A vBERT stands on the base.
  case inUse(name: String, vbert: String)
  /// The operating system refused.
  case file(path: String, why: String)

  package var description: String {
    switch self {
    case .invalidName(let name):
      "\"\(name)\" cannot name a base: use 1 to 64 of a-z, 0-9, '.', '_', '-', "
        + "beginning with a letter or digit"
    case .exists(let name):
      "there is a base \(name) already; choose another name or remove it first"
    case .noBase(let name, let known):
      "there is no base \"\(name)\"; "
        + (known.isEmpty
          ? "import one with: vbert base import DIR --name NAME"
          : "known: \(known.joined(separator: ", "))")
    case .noModel(let path):
      "\(path) holds no Hugging Face model: config.json beside model.safetensors is needed"
    case .severalModels(let path, let folders):
      "\(path) holds several models (\(folders.joined(separator: ", "))); give one's directory"
    case .pickle(let path, let file):
      "\(path) has its weights in \(file), a pickle, which can run any code when it is read; "
        + "convert it with Python: model.save_pretrained(DIR, safe_serialization=True)"
    case .unsupported(let path, let what): "\(path): \(what)"
    case .invalid(let path, let what): "\(path) is not a usable model: \(what)"
    case .invalidDepth(let depth, let layers):
      "skip depth \(depth) is not between 1 and \(layers - 1), as the base has \(layers) layers"
    case .alreadySkip(let name):
      "\(name) is a skip base already; give the ordinary base that it was made from"
    case .inUse(let name, let vbert):
      "the vBERT \(vbert) stands on the base \(name); delete it, and others like it, first"
    case .file(let path, let why): "\(path): \(why)"
    }
  }
}
