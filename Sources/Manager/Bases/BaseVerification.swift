internal import Files
internal import Foundation

/// What verifying a base's files took.
package struct BaseVerification: Sendable, Hashable {
  /// Of all files that were read.
  package var bytes: Int
  package var duration: Duration

  package init(bytes: Int, duration: Duration) { (self.bytes, self.duration) = (bytes, duration) }

  package var seconds: Double { duration / .seconds(1) }
  /// Millions of bytes.
  package var megabytes: Double { Double(bytes) / 1e6 }

  /// "verified 91.6 MB in 0.05 s".
  package var text: String {
    "verified \(String(format: "%.1f", megabytes)) MB in \(String(format: "%.2f", seconds)) s"
  }
}

/// What `vbert base verify` found out about one base.
package struct BaseReport: Sendable {
  package var name: String
  /// The files that are not as they were, and how; empty where all are.
  package var damage: [String] = []
  /// What else makes the base unusable.
  package var problem: String?
  package var verification: BaseVerification

  package var isSound: Bool { damage.isEmpty && problem == nil }
}

extension BaseFile {
  /// What sets the files on the disk apart from those that a base was made of; empty where nothing
  /// does. `whole` is false where the weights were not read.
  static func differences(
    _ found: [BaseFile], from expected: [BaseFile], whole: Bool = true
  ) -> [String] {
    var differences: [String] = []
    for file in expected where whole || file.name != Base.weightsFile {
      guard let now = found.first(where: { $0.name == file.name }) else {
        differences.append("\(file.name) (is missing)")
        continue
      }
      if now.bytes != file.bytes {
        differences.append("\(file.name) (has \(now.bytes) bytes, had \(file.bytes))")
      } else if now.digest != file.digest {
        differences.append("\(file.name) (has other bytes)")
      }
    }
    for file in found where !expected.contains(where: { $0.name == file.name }) {
      differences.append("\(file.name) (was not there)")
    }
    return differences
  }
}
