internal import Model

/// Finds a model's tensors under the names that checkpoints of different families and ages give them.
///
/// With a head, the encoder's names begin with `bert.` or the like; before 2019 a LayerNorm's weight and
/// bias were gamma and beta. What is not needed (position_ids, pooler, cls, heads) is never looked at.
enum CheckpointNames {
  /// The checkpoint's name of every tensor in `configuration.tensors`, in that order. Throws
  /// `WeightsError.missing` or `.shape`.
  static func find(
    _ configuration: Configuration, in file: SafetensorsFile
  ) throws -> [(name: String, original: String)] {
    let names = configuration.architecture.tensorNames
    let prefix =
      names.prefixes.first { file.contains($0 + "embeddings.word_embeddings.weight") } ?? ""
    return try configuration.tensors.map { name, shape in
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
      return (name, original)
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
