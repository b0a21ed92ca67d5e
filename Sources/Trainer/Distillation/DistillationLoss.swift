import Compute

/// A student's losses against a teacher's lesson, with their gradients.
struct DistillationLoss {
  let weights: DistillationOptions.LossWeights
  let backend: any RelationBackend
  let heads: Int

  /// Bytes of workspace that a batch of `rows` takes.
  static func bytes(rows: Int, hidden: Int) -> Int {
    // Two pooled states, their gradient (a sequence has a row at least), and that of the last states.
    4 * Workspace.bytes(rows: rows, columns: hidden)
  }

  /// Of the states; their gradients are added in `seen`.
  func states(_ seen: BaseTraining.States, _ lesson: Teacher.Lesson) throws(ComputeError) -> Double
  {
    var loss = 0.0
    for (place, state) in seen.states.enumerated() {
      let weight = weights.hidden + (place + 1 == seen.states.count ? weights.last : 0)
      guard weight > 0 else { continue }
      loss += try backend.squaredLoss(
        state, targets: lesson.states[place], share: weight / Double(state.count),
        into: seen.gradients[place])
    }
    return loss + (try pooled(seen, lesson))
  }

  private func pooled(_ seen: BaseTraining.States, _ lesson: Teacher.Lesson)
    throws(ComputeError) -> Double
  {
    guard weights.pooled > 0 else { return 0 }
    let last = seen.states.count - 1
    let state = seen.states[last]
    let count = seen.sequences.layout.count
    let mark = seen.workspace.mark
    defer { seen.workspace.reset(to: mark) }
    let (student, teacher, d) = (
      seen.workspace.take(rows: count, columns: state.columns),
      seen.workspace.take(rows: count, columns: state.columns),
      seen.workspace.take(rows: count, columns: state.columns)
    )
    try backend.pool(state, sequences: seen.sequences, pooling: .mean, into: student)
    try backend.pool(
      lesson.states[last], sequences: seen.sequences, pooling: .mean, into: teacher)
    let loss = try backend.squaredLoss(
      student, targets: teacher, share: weights.pooled / Double(student.count), into: d)
    let wide = seen.workspace.take(rows: state.rows, columns: state.columns)
    try backend.poolBackward(d, sequences: seen.sequences, pooling: .mean, into: wide)
    try backend.add(wide, scale: 1, to: seen.gradients[last])
    return loss
  }

  /// Of an upper layer's attention relations; their gradient is added to `dqkv`.
  func relations(
    _ seen: BaseTraining.States, _ lesson: Teacher.Lesson, place: Int, addingTo dqkv: Tensor
  ) throws(ComputeError) -> Double {
    var loss = 0.0
    for (relation, weight) in [(Relation.scores, weights.scores), (.values, weights.values)]
    where weight > 0 {
      loss += try backend.relationLoss(
        seen.queryKeyValues[place], targets: lesson.queryKeyValues[place], relation: relation,
        sequences: seen.sequences, heads: heads, share: weight / Double(dqkv.rows * heads),
        addingTo: dqkv)
    }
    return loss
  }
}
