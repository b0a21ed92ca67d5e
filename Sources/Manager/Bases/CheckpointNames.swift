internal import Model

/// Finds a model's tensors under the names that checkpoints of different families and ages give them.
///
/// With a head, or saved from a wrapper, the encoder's names begin with `bert.`, `module.` or the like;
/// before 2019 a LayerNorm's weight and bias were gamma and beta. Poolers and heads are never looked at;
/// what lies inside the encoder and would not be used is refused.
enum CheckpointNames {
  private static let words: String = "embeddings.word_embeddings.weight"
  /// What wrappers put before an encoder's names; the encoder is the same inside.
  private static let wrappers: Set<Substring> = [
    "model", "module", "_orig_mod", "encoder", "base_model", "auto_model", "backbone", "0",
  ]
  /// Buffers of older checkpoints, which count positions and segments.
  private static let buffers: Set<String> = [
    "embeddings.position_ids", "embeddings.token_type_ids",
  ]

  /// The checkpoint's name of every tensor in `configuration.tensors`, in that order. Throws
  /// `WeightsError.missing` or `.shape`, and `CheckpointProblem`.
  static func find(
    _ configuration: Configuration, in file: SafetensorsFile
  ) throws -> [(name: String, original: String)] {
    let names = configuration.architecture.tensorNames
    let prefix = try prefix(names, in: file)
    let found = try configuration.tensors.map { name, shape in
      // Our own bases have our names, whatever their family's are.
      let theirs = names.original(of: name)
      let candidates = [theirs] + legacy(theirs) + [name]
      guard let original = candidates.map({ prefix + $0 }).first(where: file.contains) else {
        throw WeightsError.missing(name: prefix + theirs)
      }
      let found = try file.shape(original)
      guard found == shape else {
        throw WeightsError.shape(name: original, found: found, expected: shape)
      }
      return (name: name, original: original)
    }
    try checkRest(file, prefix, used: Set(found.map(\.original)), layers: configuration.layerCount)
    return found
  }

  /// What stands before the names of the one encoder in the file.
  private static func prefix(_ names: TensorNames, in file: SafetensorsFile) throws -> String {
    let prefixes = file.names.filter { $0 == words || $0.hasSuffix("." + words) }
      .map { String($0.dropLast(words.count)) }
    guard let prefix = prefixes.first else {
      throw CheckpointProblem.noEncoder(found: file.names.first)
    }
    guard prefixes.count == 1 else { throw CheckpointProblem.severalEncoders(prefixes) }
    let own = Set(names.prefixes.flatMap { $0.split(separator: ".") })
    guard prefix.split(separator: ".").allSatisfy({ wrappers.contains($0) || own.contains($0) })
    else { throw CheckpointProblem.wrapper(prefix: prefix, own: names.prefixes) }
    return prefix
  }

  /// What of the encoder itself would stay behind. Layers above those that config.json counts may, as
  /// with the reference library.
  private static func checkRest(
    _ file: SafetensorsFile, _ prefix: String, used: Set<String>, layers: Int
  ) throws {
    for name in file.names where name.hasPrefix(prefix) && !used.contains(name) {
      let rest = String(name.dropFirst(prefix.count))
      let parts = rest.split(separator: ".")
      guard ["embeddings", "encoder", "transformer"].contains(parts.first), !buffers.contains(rest)
      else { continue }
      if parts.count > 2, parts[1] == "layer", let layer = Int(parts[2]), layer >= layers {
        continue
      }
      // A LayerNorm's parameters under both of their names.
      if parts.contains("LayerNorm"), ["weight", "bias", "gamma", "beta"].contains(parts.last) {
        continue
      }
      throw CheckpointProblem.unused(tensor: name)
    }
  }

  private static func legacy(_ name: String) -> [String] {
    for (new, old) in [
      ("LayerNorm.weight", "LayerNorm.gamma"), ("LayerNorm.bias", "LayerNorm.beta"),
    ]
    where name.hasSuffix(new) {
      return [name.dropLast(new.count) + old]
    }
    return []
  }
}

/// What stands against a checkpoint's names.
enum CheckpointProblem: Error, Equatable, CustomStringConvertible {
  case noEncoder(found: String?)
  case severalEncoders([String])
  case wrapper(prefix: String, own: [String])
  case unused(tensor: String)

  private static let advice: String =
    "save the encoder itself in Python (the inner model's save_pretrained(DIR))"

  var description: String {
    switch self {
    case .noEncoder(let name):
      "no tensor is named embeddings.word_embeddings.weight, with whatever before it"
        + (name.map { "; the first is \"\($0.prefix(80))\"" } ?? "")
    case .severalEncoders(let prefixes):
      "its tensors are of several encoders, named "
        + prefixes.prefix(4).map { "\"\($0.prefix(40))embeddings...\"" }.joined(separator: ", ")
        + "; \(Self.advice) that is meant"
    case .wrapper(let prefix, let own):
      "its tensors are named \"\(prefix.prefix(80))embeddings...\", where this family's begin with "
        + "\(own.joined(separator: ", ")) or nothing: saved from a wrapper, or another family's; "
        + Self.advice
    case .unused(let tensor):
      "tensor \"\(tensor.prefix(120))\" lies inside the encoder and would not be used: an adapter, or a "
        + "model of another kind; merge the adapter (merge_and_unload), or correct config.json"
    }
  }
}
