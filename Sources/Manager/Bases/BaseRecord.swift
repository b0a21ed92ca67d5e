package import Compute
package import Foundation

/// What we know of a base beyond Hugging Face's files: its base.json.
package struct BaseRecord: Codable, Sendable, Hashable {
  package enum Kind: String, Codable, Sendable {
    /// All layers run over the whole text.
    case dense
    /// The lower layers are local ones, read from the PLOT.
    case skip
  }

  package var name: String
  package var kind: Kind
  /// k; 0 for a dense base.
  package var skipDepth: Int
  /// Whether the base was trained to work as it is. False for a skip base that `makeSkip` cut from
  /// a dense one: it runs, but answers worse than a distilled one.
  package var distilled: Bool
  /// SHA-256 of configuration, vocabulary and weights, hexadecimal: two bases with the same hash
  /// compute the same, and a PLOT belongs to one hash.
  package var contentHash: String
  /// Where it came from, for people.
  package var source: String
  package var created: Date
  /// What every load verifies, written once the weights' values were found to be in range; nil for a
  /// base of an older vbert that was not loaded since.
  package var files: [BaseFile]?
  /// How an embedding is made of token states, and of how many tokens at most, where the base's own
  /// folder said so.
  package var pooling: Pooling?
  package var maxLength: Int?

  package var defaults: BaseDefaults {
    get { BaseDefaults(pooling: pooling, maxLength: maxLength) }
    set { (pooling, maxLength) = (newValue.pooling, newValue.maxLength) }
  }

  package init(
    name: String, kind: Kind, skipDepth: Int, distilled: Bool, contentHash: String, source: String,
    created: Date, files: [BaseFile]? = nil, defaults: BaseDefaults = BaseDefaults()
  ) {
    self.name = name
    self.kind = kind
    self.skipDepth = skipDepth
    self.distilled = distilled
    self.contentHash = contentHash
    self.source = source
    self.created = created
    self.files = files
    self.defaults = defaults
  }

  /// "dense", "skip 2", "skip 2, undistilled": how listings label it.
  package var label: String {
    switch kind {
    case .dense: "dense"
    case .skip: "skip \(skipDepth)" + (distilled ? "" : ", undistilled")
    }
  }
}
