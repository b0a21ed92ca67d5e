internal import Files
package import Foundation
package import Model

/// A base on the disk, opened: its files agree with each other, every tensor of its configuration is
/// there in the right shape. The weights stay mapped and are read when a device loads them.
package struct Base: Sendable {
  package let record: BaseRecord
  package let configuration: Configuration
  package let tokenizer: WordPiece
  package let weights: SafetensorsFile
  package let directory: URL

  package var name: String { record.name }

  /// Files that tell how text becomes ids; at least one of the first two.
  static let vocabularyFiles = ["tokenizer.json", "vocab.txt", "tokenizer_config.json"]
  static let configurationFile = "config.json"
  static let weightsFile = "model.safetensors"
  static let recordFile = "base.json"
  /// Bounds on what is read into memory at once.
  static let configurationLimit = 1 << 20
  static let vocabularyLimit = 256 << 20

  /// Opens the directory. Throws `BaseError`.
  init(directory: URL, record: BaseRecord) throws(BaseError) {
    let path = directory.filePath
    do {
      configuration = try Configuration(
        json: try Data(contentsOf: directory.appending(path: Self.configurationFile)))
      weights = try SafetensorsFile(
        path: directory.appending(path: Self.weightsFile).filePath)
      try Self.check(weights, configuration)
      let files = try Self.vocabularyFiles.map { name -> [UInt8]? in
        let url = directory.appending(path: name)
        guard FileManager.default.fileExists(atPath: url.filePath) else {
          return nil
        }
        return [UInt8](try Data(contentsOf: url))
      }
      tokenizer = try WordPiece(
        tokenizerJSON: files[0], vocabulary: files[1], configuration: files[2],
        special: configuration.architecture.special)
    } catch let error as ConfigurationError {
      throw .unsupported(path: path, what: "\(error)")
    } catch {
      throw .invalid(path: path, what: "\(error)")
    }
    // The table may be longer than the vocabulary (padded), not shorter: every id needs a row.
    guard tokenizer.vocabularySize <= configuration.vocabularySize else {
      throw .invalid(
        path: path,
        what: "the vocabulary has \(tokenizer.vocabularySize) tokens, "
          + "config.json says vocab_size \(configuration.vocabularySize)")
    }
    self.record = record
    self.directory = directory
  }

  /// Every tensor is there, in its shape, in a type that converts.
  private static func check(_ weights: SafetensorsFile, _ configuration: Configuration) throws {
    for (name, shape) in configuration.tensors {
      let found = try weights.shape(name)
      guard found == shape else {
        throw WeightsError.shape(name: name, found: found, expected: shape)
      }
      let type = try weights.type(name)
      guard [.float32, .float16, .bfloat16].contains(type) else {
        throw SafetensorsError.wrongType(
          file: weights.source, name: name, found: type, expected: "floating-point numbers")
      }
    }
  }
}
