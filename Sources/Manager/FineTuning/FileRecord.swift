package import Foundation
package import Model

/// What a file is brought for.
package enum FilePurpose: String, Sendable, Hashable, CaseIterable {
  /// Rows to learn from, or to measure by.
  case fineTune = "fine-tune"
  /// Requests that are to be answered.
  case batch
  /// What came of a batch; nobody brings it.
  case batchOutput = "batch_output"

  package static let brought: [FilePurpose] = [.fineTune, .batch]
}

/// A file that a tenant brought. Its bytes are in `UploadedFiles`, under its id.
package struct FileRecord: Sendable, Hashable {
  /// `file-` and 24 letters and digits, unique in the home.
  package let id: String
  package let tenant: Name
  /// As its owner calls it: for people, no path.
  package let name: String
  package let purpose: FilePurpose
  package let byteCount: Int
  package let report: RowsReport
  package let created: Date

  package init(
    id: String, tenant: Name, name: String, purpose: FilePurpose, byteCount: Int,
    report: RowsReport, created: Date
  ) {
    (self.id, self.tenant, self.name, self.purpose) = (id, tenant, name, purpose)
    (self.byteCount, self.report, self.created) = (byteCount, report, created)
  }
}

/// What a look at all rows of a file found.
package struct RowsReport: Sendable, Hashable, Codable {
  /// What its rows can teach; nil where they are none to learn from.
  package var task: VBertTask?
  package var rows: Int
  /// `text` or `pair`, where all are one of them.
  package var input: InputKind?
  /// How many rows have each label, of the most frequent `mostShown`.
  package var labels: [String: Int]
  /// How many labels there are.
  package var labelCount: Int
  /// The route that all of a batch's requests ask.
  package var endpoint: String?

  package static let mostShown = 200

  package init(
    task: VBertTask?, rows: Int, input: InputKind? = nil, labels: [String: Int] = [:],
    labelCount: Int = 0, endpoint: String? = nil
  ) {
    (self.task, self.rows, self.input) = (task, rows, input)
    (self.labels, self.labelCount, self.endpoint) = (labels, labelCount, endpoint)
  }
}

/// Names that are made here, for what is spoken of over HTTP.
package enum PublicID {
  /// `prefix-` and 24 letters and digits: some 124 bits of chance.
  package static func make(_ prefix: String) -> String {
    let letters = Array("0123456789abcdefghijklmnopqrstuvwxyz")
    return prefix + "-" + String((0..<24).map { _ in letters[Int.random(in: 0..<36)] })
  }

  /// Whether it can be one of that prefix: it may become part of a path.
  package static func isValid(_ id: String, _ prefix: String) -> Bool {
    guard id.hasPrefix(prefix + "-") else { return false }
    let rest = id.utf8.dropFirst(prefix.utf8.count + 1)
    return rest.count == 24
      && rest.allSatisfy { (48...57).contains($0) || (97...122).contains($0) }
  }
}
