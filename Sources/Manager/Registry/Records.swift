package import Foundation
package import Model

/// One published version of one vBERT. The row number of a vBERT is never used again, so neither a
/// deleted vBERT nor a newer one of the same name can be mistaken for it.
package struct VersionID: Sendable, Hashable, CustomStringConvertible {
  package let vbert: Int64
  package let number: Int

  package init(vbert: Int64, number: Int) {
    self.vbert = vbert
    self.number = number
  }

  package var description: String { "#\(vbert) v\(number)" }
}

package struct TenantRecord: Sendable, Hashable {
  package let id: Int64
  package let name: Name
  package let processor: VirtualProcessor
  /// How many it has.
  package let keys: Int
  package let created: Date

  /// Who owns what nobody else owns.
  package static let defaultName: Name = .default
}

/// A vBERT as requests see it: what it is, and the version that answers now.
package struct VBertRecord: Sendable, Hashable {
  package let id: Int64
  package let name: VBertName
  /// Its tenant's number.
  package let tenant: Int64
  /// Of the current version; before the first one, as created.
  package let spec: VBertSpec
  /// nil until something was published.
  package let version: VersionID?
  package let created: Date
}

package struct VersionRecord: Sendable, Hashable {
  package let id: VersionID
  /// The vBERT's name.
  package let vbert: VBertName
  /// With the labels that this version was trained on.
  package let spec: VBertSpec
  /// nil where there is nothing to store: an embedder without adapter.
  package let blob: BlobRecord?
  package let metrics: [String: Double]
  package let note: String
  package let created: Date
}

/// Where a version's parameters are, and what they must hash to.
package struct BlobRecord: Sendable, Hashable {
  /// File name below adapters/, without directory and extension.
  package let name: String
  package let sha256: [UInt8]
  package let byteCount: Int
}

/// What a vBERT's next version will say.
package struct NextVersion: Sendable {
  package var vbert: Int64
  /// The vBERT's name.
  package var name: VBertName
  package var spec: VBertSpec
  /// nil where there is nothing to store.
  package var blob: BlobRecord?
  package var metrics: [String: Double] = [:]
  package var note: String = ""
  /// Ends with it.
  package var job: RunningJob?
  /// What was gone through for it.
  package var work: TrainingWork?

  package init(
    vbert: Int64, name: VBertName, spec: VBertSpec, blob: BlobRecord?,
    metrics: [String: Double] = [:],
    note: String = "", job: RunningJob? = nil, work: TrainingWork? = nil
  ) {
    (self.vbert, self.name, self.spec, self.blob) = (vbert, name, spec, blob)
    (self.metrics, self.note, self.job, self.work) = (metrics, note, job, work)
  }
}

/// What a training went through, all passes.
package struct TrainingWork: Sendable, Hashable {
  package let rows, tokens: Int

  package init(rows: Int, tokens: Int) { (self.rows, self.tokens) = (rows, tokens) }
}

/// What the first version of a vBERT says that is made together with it.
package struct FirstVersion: Sendable {
  package var blob: BlobRecord?
  package var metrics: [String: Double]
  package var note: String

  package init(blob: BlobRecord?, metrics: [String: Double], note: String) {
    (self.blob, self.metrics, self.note) = (blob, metrics, note)
  }

  /// Of a vBERT that has nothing to learn; nil for one that has.
  package static func untrained(_ spec: VBertSpec) -> FirstVersion? {
    spec.hasParameters ? nil : FirstVersion(blob: nil, metrics: [:], note: "created")
  }
}

package enum JobState: String, Sendable, Hashable, CaseIterable {
  case running, done, failed
}

package struct JobRecord: Sendable, Hashable {
  package let id: Int64
  package let vbert: Int64
  package let state: JobState
  package let started: Date
  package let updated: Date
  package let finished: Date?
  package let error: String?
  package let metrics: [String: Double]
}
