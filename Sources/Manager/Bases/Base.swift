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
  /// How its files were verified.
  package internal(set) var verification = BaseVerification(bytes: 0, duration: .zero)

  package var name: String { record.name }

  /// Throws `BaseError.noPairs` for a base that reads single texts only.
  package func checkPairs() throws(BaseError) {
    guard configuration.readsPairs else { throw .noPairs(name: name) }
  }

  /// Files that tell how text becomes ids; at least one of the first two.
  static let vocabularyFiles = ["tokenizer.json", "vocab.txt", "tokenizer_config.json"]
  static let configurationFile = "config.json"
  static let weightsFile = "model.safetensors"
  static let recordFile = "base.json"
  /// Bounds on what is read into memory at once.
  static let configurationLimit = 1 << 20
  static let vocabularyLimit = 256 << 20

  /// Reads what was found on the disk; `path` is what errors call it, without one its directory. Throws
  /// `BaseError.unsupported` and `invalid`.
  init(_ contents: BaseContents, record: BaseRecord, path: String? = nil) throws(BaseError) {
    let path = path ?? contents.directory.filePath
    func missing(_ name: String) -> BaseError { .invalid(path: path, what: "\(name) is missing") }
    guard let json = contents.bytes(Self.configurationFile) else {
      throw missing(Self.configurationFile)
    }
    guard let mapped = contents.weights else { throw missing(Self.weightsFile) }
    do {
      configuration = try Configuration(json: Data(json))
      weights = try SafetensorsFile(
        mapped, path: path + (path.hasSuffix("/") ? "" : "/") + Self.weightsFile)
      try Self.check(weights, configuration)
      let files = Self.vocabularyFiles.map(contents.bytes)
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
    directory = contents.directory
  }

  /// Every tensor is there, in its shape, in a type that converts.
  private static func check(_ weights: SafetensorsFile, _ configuration: Configuration) throws {
    for (name, shape) in configuration.tensors {
      let found = try weights.shape(name)
      guard found == shape else {
        throw WeightsError.shape(name: name, found: found, expected: shape)
      }
      try checkType(name, in: weights)
    }
  }

  /// Throws `SafetensorsError.wrongType`.
  static func checkType(_ name: String, in weights: SafetensorsFile) throws(SafetensorsError) {
    let type = try weights.type(name)
    guard [.float32, .float16, .bfloat16].contains(type) else {
      throw .wrongType(
        file: weights.source, name: name, found: type, expected: "floating-point numbers")
    }
  }
}
