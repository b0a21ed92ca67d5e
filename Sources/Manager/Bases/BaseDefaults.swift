package import Compute
package import Model

/// What a vBERT on a base is where nobody says otherwise, as the base's folder said of itself.
package struct BaseDefaults: Sendable, Hashable {
  /// How token states become a vector; nil where nothing said it.
  package var pooling: Pooling?
  /// Longest input in tokens that it was made for.
  package var maxLength: Int?

  package init(pooling: Pooling? = nil, maxLength: Int? = nil) {
    (self.pooling, self.maxLength) = (pooling, maxLength)
  }

  /// What `other` says where this says nothing.
  func or(_ other: BaseDefaults?) -> BaseDefaults {
    BaseDefaults(
      pooling: pooling ?? other?.pooling, maxLength: maxLength ?? other?.maxLength)
  }

  /// An embedding is what the base was made for, as it is; what is trained upon it is ours to choose.
  package func pooling(for task: VBertTask) -> Pooling { task == .embed ? pooling ?? .mean : .mean }

  /// At most `positions`: those of the base.
  package func maxLength(for task: VBertTask, positions: Int) -> Int {
    let standard = 128
    let wanted = task == .embed ? maxLength ?? standard : min(standard, maxLength ?? standard)
    return min(wanted, positions)
  }
}
