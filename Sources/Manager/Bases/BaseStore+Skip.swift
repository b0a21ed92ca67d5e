internal import Files
internal import Foundation
package import Model

extension BaseStore {
  /// Makes a skip base whose k lower layers are local, without training: everything runs before
  /// distillation exists, and distillation starts from it. Its name is `base`-skipK if none is given.
  /// Throws `BaseError` and what the disk says; then nothing has appeared.
  package func makeSkip(base name: String, depth: Int, name newName: String?) throws -> BaseRecord {
    let base = try loadToSkip(name, depth: depth)
    let start = try SkipStart(base.weights, base.configuration, depth: depth)
    let copied = try base.configuration.tensors.map(\.name).filter { start.tensors[$0] == nil }
      .map { try SafetensorsTensor(name: $0, copying: $0, from: base.weights) }
    let made = start.tensors.sorted { $0.key < $1.key }.map { name, tensor in
      SafetensorsTensor(name: name, shape: tensor.shape, floats: tensor.values)
    }
    return try addSkip(
      name: newName ?? "\(name)-skip\(depth)", of: base, depth: depth, tensors: copied + made,
      distilled: false)
  }

  /// An ordinary base that has a layer left above `depth` ones. Throws `BaseError`.
  package func loadToSkip(_ name: String, depth: Int) throws(BaseError) -> Base {
    let base = try load(name)
    guard !base.configuration.isSkip else { throw BaseError.alreadySkip(name: name) }
    guard depth >= 1, depth < base.configuration.layerCount else {
      throw BaseError.invalidDepth(depth, layers: base.configuration.layerCount)
    }
    return base
  }

  /// The base once more, verified: after hours of work with it. Throws `BaseError`, `replaced` where the
  /// name is another base's now.
  package func loadAgain(_ base: Base) throws(BaseError) -> Base {
    let again = try load(base.name)
    guard again.record.contentHash == base.record.contentHash else {
      throw .replaced(name: base.name)
    }
    return again
  }

  /// Stores a skip base: `base`'s vocabulary and configuration with these tensors, which must be all
  /// of a skip model (`Configuration.tensors`). Throws `BaseError` and what the disk says.
  package func addSkip(
    name: String, of base: Base, depth: Int, tensors: [SafetensorsTensor], distilled: Bool
  ) throws -> BaseRecord {
    let full = base.configuration.layerCount - depth
    let contents = try BaseContents(base.directory)
    try Self.check(contents, try record(base.name), .text)
    let original = contents.bytes(Base.configurationFile) ?? []
    return try stage(
      name, distilled: distilled, source: "skip \(depth) of \(base.name)",
      defaults: base.record.defaults
    ) { staging in
      // What was read strictly when the base was opened.
      guard
        var fields = try JSONSerialization.jsonObject(with: Data(original)) as? [String: Any]
      else {
        throw BaseError.invalid(
          path: base.directory.filePath, what: "\(Base.configurationFile) is not a JSON object")
      }
      fields["num_full_hidden_layers"] = full
      let json = try JSONSerialization.data(
        withJSONObject: fields, options: [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes])
      try Self.write([UInt8](json), to: staging, Base.configurationFile)
      for (file, bytes) in contents.small where file != Base.configurationFile {
        try Self.write(bytes, to: staging, file)
      }
      try Self.write(tensors, to: staging)
      // The weights that were read, just now and before, are what was verified.
      try Self.check(contents, try record(base.name), .all)
    }
  }
}
