package import Model

/// How somebody asks for training to be done.
package enum TrainingWish: Sendable, Equatable {
  /// By epochs, of which dev rows tell the best: who names epochs, a batch or patience.
  case byEpochs
  /// So; nil: what suits the rows.
  case effort(Effort?)

  /// nil: by epochs, which suits many rows, and what has no other way. O(1).
  package func effort(_ task: VBertTask, rows: Int) -> Effort? {
    guard case .effort(let wish) = self, task != .embed else { return nil }
    if wish == .quick { return .quick }
    return task == .classify && rows <= FewRows.most ? .full : nil
  }
}
