internal import Model

/// How much is done to learn from few rows.
package enum Effort: String, Sendable, CaseIterable, Codable {
  /// A head alone, found on frozen states.
  case quick
  /// The head, and an adapter where it is worth its memory.
  case full

  /// Whether an adapter is tuned on a vBERT's few rows.
  func tunes(_ spec: VBertSpec) -> Bool {
    self == .full && spec.task != .embed && spec.adapter != .none
  }
}
