package import Model

/// How somebody asks for training to be done.
package enum TrainingWish: Sendable, Equatable {
  /// By epochs, of which dev rows tell the best: who names epochs, a batch or patience.
  case byEpochs
  /// So; nil: what suits the rows.
  case effort(Effort?)
  /// As many at once are trained where nobody says: heads alone where there are heads.
  case quickly

  /// nil: by epochs, which suits many rows, and what has no other way. O(1).
  package func effort(_ task: VBertTask, rows: Int) -> Effort? {
    guard task != .embed else { return nil }
    return switch self {
    case .byEpochs: nil
    case .quickly, .effort(.quick): .quick
    case .effort: rows <= FewRows.most(task) ? .full : nil
    }
  }
}

extension TrainingRequest {
  /// What was asked for and would do nothing, of a training that goes so. Throws `TrainingOptionProblem`.
  func checkWish(_ effort: Effort?, _ spec: VBertSpec) throws(TrainingOptionProblem) {
    guard let effort else {
      var option = steps != nil ? "steps" : nil
      if case .effort(let wanted?) = wish { option = option ?? "effort \(wanted)" }
      guard let option else { return }
      throw spec.task == .embed ? .embedderByEpochs(option) : .byEpochs(option)
    }
    guard let option = steps != nil ? "steps" : rate != nil ? "lr" : nil else { return }
    if effort == .quick { throw .tunesNothing(option, "effort quick") }
    if spec.adapter == .none { throw .tunesNothing(option, "a vBERT without an adapter") }
  }
}
