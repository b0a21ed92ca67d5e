package import Foundation

/// A folder in the temporary directory that goes when the value goes.
package final class TemporaryFolder: Sendable {
  package let url = FileManager.default.temporaryDirectory.appending(
    path: "vbert-\(UUID().uuidString)", directoryHint: .isDirectory)
  package var path: String { url.path(percentEncoded: false) }

  package init() throws {
    try FileManager.default.createDirectory(at: url, withIntermediateDirectories: false)
  }
  deinit { try? FileManager.default.removeItem(at: url) }

  package func file(_ name: String) -> String {
    url.appending(path: name).path(percentEncoded: false)
  }

  /// What it holds, sorted.
  package func names() throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: path).sorted()
  }
}
