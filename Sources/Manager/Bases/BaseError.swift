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
  /// A weight that nothing can be computed with.
  case value(path: String, tensor: String, place: [Int], value: String)
  /// Files of a base that are not as they were when it was made.
  case damaged(name: String, files: [String])
  /// It is damaged, and what was to take its place is another base.
  case otherThanDamaged(name: String, was: String, found: String)
  /// The name is another base's now.
  case replaced(name: String)
  case invalidDepth(Int, layers: Int)
  /// Only an ordinary base can be made into a skip base.
  case alreadySkip(name: String)
  /// A vBERT stands on the base.
  case inUse(name: String, vbert: String)
  /// The second text of a pair has no segment of its own here.
  case noPairs(name: String)
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
    // What names the file needs no path before it.
    case .invalid(let path, let what):
      what.contains(path) ? "no usable model: \(what)" : "\(path) is not a usable model: \(what)"
    case .value(let path, let tensor, let place, let value):
      "\(path) is not a usable model: tensor \"\(tensor)\" is \(value) at \(place); weights must be "
        + "finite and at most \(Int(Base.largestWeight)) in magnitude; export the model again"
    case .damaged(let name, let files):
      "the base \(name) is damaged: \(files.joined(separator: ", ")); see vbert base verify \(name), "
        + "and make it again under its name (vbert base import, or base skip): what stands on it stays"
    case .otherThanDamaged(let name, let was, let found):
      "the base \(name) is damaged, and this would be another one (\(found.prefix(12)), it was "
        + "\(was.prefix(12))): give the very model that it was made of, or another name"
    case .replaced(let name):
      "the base \(name) is not the one of before: it was replaced meanwhile; bring that one back"
    case .invalidDepth(let depth, let layers):
      "skip depth \(depth) is not between 1 and \(layers - 1), as the base has \(layers) layers"
    case .alreadySkip(let name):
      "\(name) is a skip base already; give the ordinary base that it was made from"
    case .inUse(let name, let vbert):
      "the vBERT \(vbert) stands on the base \(name); delete it, and others like it, first"
    case .noPairs(let name):
      "the base \(name) reads single texts, not pairs: it has one segment (type_vocab_size 1)"
    // What the disk says often names the path itself.
    case .file(let path, let why): why.contains(path) ? why : "\(path): \(why)"
    }
  }
}
