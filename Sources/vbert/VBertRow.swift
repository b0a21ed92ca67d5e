import Foundation
import Manager
import Model

/// A vBERT as the verbs print it.
struct VBertRow: Encodable {
  let name: String
  let tenant: String
  let task: String
  let base: String
  let baseHash: String
  let domain: String?
  let adapter: String
  let pooling: String
  let labels: [String]
  let maxLength: Int
  /// What its tags mark entities by; absent until trained, and for others than taggers.
  let tagScheme: TagScheme?
  /// Sizes that an embedder was trained for, where somebody chose any.
  let dimensions: [Int]?
  /// Absent until it is trained.
  let version: Int?
  let created: Date

  init(_ vbert: VBertRecord) {
    (name, tenant) = (vbert.name.name.text, vbert.name.tenant.text)
    task = vbert.spec.task.rawValue
    (base, baseHash) = (vbert.spec.base, vbert.spec.baseHash)
    domain = vbert.spec.domain
    adapter = vbert.spec.adapter.description
    pooling = vbert.spec.pooling.name
    labels = vbert.spec.labels
    maxLength = vbert.spec.maxLength
    let isTagger = vbert.spec.task == .tag && !vbert.spec.labels.isEmpty
    tagScheme = isTagger ? vbert.spec.tags : nil
    dimensions = vbert.spec.dimensions
    version = vbert.version?.number
    created = vbert.created
  }

  static let titles: [String] = [
    "NAME", "VERSION", "TASK", "BASE", "ADAPTER", "LABELS", "TENANT",
  ]

  var cells: [String] {
    [
      name, version.map { "\($0)" } ?? "untrained", task, base, adapter,
      labels.isEmpty ? "-" : "\(labels.count)", tenant,
    ]
  }
}
