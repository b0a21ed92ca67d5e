package import Foundation

/// A file in the temporary directory that goes when the value goes.
package final class TemporaryFile {
  package let url = FileManager.default.temporaryDirectory.appending(
    path: "vbert-\(UUID().uuidString)")
  package var path: String { url.path() }

  package init(_ bytes: [UInt8]) throws { try Data(bytes).write(to: url) }
  deinit { try? FileManager.default.removeItem(at: url) }
}
