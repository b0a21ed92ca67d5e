import Compute

/// A student's losses against a teacher's lesson, with their gradients.
struct DistillationLoss {
  let weights: DistillationOptions.LossWeights
  let backend: any RelationBackend
  let heads: Int
  /// What the errors of the states at each place are multiplied by; empty: nothing.
  var scales: [Double] = []

  /// Bytes of workspace that a batch of `rows` takes.
  static func bytes(rows: Int, hidden: Int) -> Int {
    // Two pooled states, their gradient (a sequence has a row at least), and that of the last states.
    4 * Workspace.bytes(rows: rows, columns: hidden)
  }

  /// Adds the states' loss to `value`, [1, 1] on the device, and its gradients in `seen`.
  func states(_ seen: BaseTraining.States, _ lesson: Teacher.Lesson, addingTo value: Tensor)
    throws(ComputeError)
  {
    for (place, state) in seen.states.enumerated() {
      let weight = weights.hidden + (place + 1 == seen.states.count ? weights.last : 0)
      guard weight > 0 else { continue }
      let scale = scales.isEmpty ? 1 : scales[place]
      try backend.squaredLoss(
        state, targets: lesson.states[place], share: scale * weight / Double(state.count),
        into: seen.gradients[place], addingTo: value)
    }
    if weights.pooled > 0 { try pooled(seen, lesson, addingTo: value) }
  }

  private func pooled(_ seen: BaseTraining.States, _ lesson: Teacher.Lesson, addingTo value: Tensor)
    throws(ComputeError)
  {
    let (last, workspace) = (seen.states.count - 1, seen.workspace)
    let state = seen.states[last]
    let (count, columns) = (seen.sequences.layout.count, state.columns)
    let mark = workspace.mark
    defer { workspace.reset(to: mark) }
    let student = workspace.take(rows: count, columns: columns)
    let teacher = workspace.take(rows: count, columns: columns)
    let d = workspace.take(rows: count, columns: columns)
    try backend.pool(state, sequences: seen.sequences, pooling: .mean, into: student)
    try backend.pool(
      lesson.states[last], sequences: seen.sequences, pooling: .mean, into: teacher)
    try backend.squaredLoss(
      student, targets: teacher, share: (scales.last ?? 1) * weights.pooled / Double(student.count),
      into: d,
      addingTo: value)
    let wide = workspace.take(rows: state.rows, columns: columns, type: state.type)
    try backend.poolBackward(d, sequences: seen.sequences, pooling: .mean, into: wide)
    try backend.add(wide, scale: 1, to: seen.gradients[last])
  }

  /// Adds the loss of an upper layer's attention relations to `value`, its gradient to `dqkv`.
  func relations(
    _ seen: BaseTraining.States, _ lesson: Teacher.Lesson, place: Int, addingTo dqkv: Tensor,
    value: Tensor
  ) throws(ComputeError) {
    for (relation, weight) in [(Relation.scores, weights.scores), (.values, weights.values)]
    where weight > 0 {
      try backend.relationLoss(
        seen.queryKeyValues[place], targets: lesson.queryKeyValues[place], relation: relation,
        sequences: seen.sequences, heads: heads, share: weight / Double(dqkv.rows * heads),
        addingTo: dqkv, value: value)
    }
  }
}
