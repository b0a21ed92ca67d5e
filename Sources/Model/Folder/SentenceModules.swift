internal import Compute

/// modules.json and what it names: which steps sentence-transformers takes from token states to a
/// vector. Ours are: the encoder, one way of pooling, division by the norm.
struct SentenceModules {
  private static let file: String = "modules.json"
  private(set) var pooling: Pooling?

  /// One step: the last part of its type's name, and its folder.
  private struct Step {
    let kind: String
    let path: String
    let entry: FileObject
  }

  /// `place`: where config.json lies, as seen from `root`. Throws `FolderProblem`, and what reading
  /// throws.
  init(_ root: FolderFiles, place: String, width: Int) throws {
    let steps = try Self.steps(root)
    if let steps {
      try Self.check(steps, place: place)
      for step in steps where step.kind == "Pooling" {
        pooling = try SentencePooling.read(root, step.path, width: width)
      }
    } else {
      pooling = try Self.foundPooling(root, width: width)
    }
    try Self.checkPrompts(root)
  }

  private static func steps(_ root: FolderFiles) throws -> [Step]? {
    guard let bytes = try root.read(file) else { return nil }
    let value: JSONValue
    do { value = try JSONValue(bytes) } catch {
      throw FolderProblem.unreadable(file: file, what: "\(error)")
    }
    guard let list = value.list else {
      throw FolderProblem.unreadable(
        file: file, what: "it is \(value.shown), not a list of modules")
    }
    return try list.enumerated().map { index, value in
      let entry = try FileObject(file, path: "[\(index)]", value)
      guard let type = try entry.text("type") else { throw entry.wrongKind("type", "text") }
      let path = try entry.text("path") ?? ""
      guard !path.hasPrefix("/"), !path.split(separator: "/").contains("..") else {
        throw entry.refused("path", "it leads out of the folder")
      }
      guard type.hasPrefix("sentence_transformers.") else {
        throw entry.refused(
          "type", "a module with code of its own is not run; save the model without it")
      }
      return Step(
        kind: type.split(separator: ".").last.map(String.init) ?? "",
        path: path.hasSuffix("/") ? String(path.dropLast()) : path, entry: entry)
    }
  }

  private static func check(_ steps: [Step], place: String) throws {
    guard let first = steps.first, first.kind == "Transformer" else {
      throw FolderProblem.refusedFile(
        file: file, why: "it does not begin with a Transformer; only encoders are computed here")
    }
    guard first.path == place else {
      throw first.entry.refused(
        "path", "the encoder was found in \"\(place)\"; correct it, or give that folder alone")
    }
    var isPooled = false
    for step in steps.dropFirst() {
      switch step.kind {
      case "Pooling" where !isPooled: isPooled = true
      // Dropout does nothing outside training.
      case "Normalize" where isPooled, "Dropout": break
      case "Dense":
        throw step.entry.refused(
          "type",
          "a projection behind pooling is not computed here; take a model without it, or train an "
            + "embedding of its own on its encoder")
      default:
        throw step.entry.refused(
          "type", "not done at this place; done are Transformer, Pooling, Normalize, in this order")
      }
    }
    guard isPooled else {
      throw FolderProblem.refusedFile(
        file: file, why: "it has no Pooling; one vector a text is what is computed here")
    }
  }

  /// Without modules.json: its folders say by their names what they are.
  private static func foundPooling(_ root: FolderFiles, width: Int) throws -> Pooling? {
    var pooling: Pooling?
    for name in root.names.sorted() {
      let parts = name.split(separator: "/")
      guard parts.count == 2, parts[1] == "config.json",
        let digits = parts[0].firstIndex(of: "_"), digits > parts[0].startIndex,
        parts[0][..<digits].allSatisfy({ $0.isASCII && $0.isNumber })
      else { continue }
      switch parts[0][parts[0].index(after: digits)...] {
      case "Pooling": pooling = try SentencePooling.read(root, String(parts[0]), width: width)
      case "Dense", "LSTM", "CNN", "LayerNorm", "WeightedLayerPooling", "SpladePooling":
        throw FolderProblem.refusedFile(
          file: name,
          why: "a step behind the encoder that is not computed here; take the folder away where it "
            + "does not count")
      default: break
      }
    }
    return pooling
  }

  /// A prompt that every text would get without being asked for.
  private static func checkPrompts(_ root: FolderFiles) throws {
    guard let settings = try root.object("config_sentence_transformers.json") else { return }
    if let kind = try settings.text("model_type"), kind != "SentenceTransformer" {
      throw settings.refused("model_type", "only SentenceTransformer is done here")
    }
    guard let name = try settings.text("default_prompt_name") else { return }
    guard let prompts = try settings.object("prompts"), prompts[name] != nil else {
      throw settings.refused("default_prompt_name", "prompts has none of that name")
    }
    if let prompt = try prompts.text(name), !prompt.isEmpty {
      throw settings.refused(
        "default_prompt_name",
        "every text would get \(JSONValue.shown(prompt)) before it, which is not done here; set "
          + "it to null, and write the prompt into the texts")
    }
  }
}
