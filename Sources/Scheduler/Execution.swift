internal import Compute
internal import Manager
internal import Model

/// The device's side of a batch: encoder, then heads. Belongs to the compute thread and its lane.
final class Execution {
  private let backend: any Backend
  private let tokenBudget: Int
  private var encoders: [ObjectIdentifier: UpperEncoder] = [:]
  /// Pooled states and head outputs of a part; grows to the largest seen.
  private var space: Workspace?

  init(backend: any Backend, tokenBudget: Int) {
    self.backend = backend
    self.tokenBudget = tokenBudget
  }

  /// One output a sequence. `visit` sees the number of each state, 0 before the first layer, and may
  /// end it there by throwing.
  func outputs(
    of part: BatchPart, visit: (Int) throws(ComputeError) -> Void
  ) throws(ComputeError) -> [Reply.Output] {
    if part.readsFirstRowsAlone { return try firstRowOutputs(of: part, visit: visit) }
    let sequences = try backend.place(part.packed.layout)
    let groups = try backend.place(
      part.runs.map { RowGroup(rows: part.rows(of: $0), adapter: $0.adapter) })
    let states = try encoder(of: part.engine).states(
      of: part.packed, rows: part.rows?.rows, sequences: sequences, groups: groups
    ) { number, _ throws(ComputeError) in try visit(number) }
    let heads = try HeadPass(
      part: part, states: states, sequences: sequences, backend: backend,
      space: space(for: part))
    var outputs: [Reply.Output] = []
    for pooling in Pooling.allCases { outputs += try heads.pooled(pooling) }
    outputs += try heads.tagged()
    return outputs
  }

  /// Of a part whose heads all read the first state of a sequence.
  private func firstRowOutputs(
    of part: BatchPart, visit: (Int) throws(ComputeError) -> Void
  ) throws(ComputeError) -> [Reply.Output] {
    let states = try encoder(of: part.engine).firstStates(
      of: part.packed, rows: part.rows?.rows, sequences: backend.place(part.packed.layout),
      groups: backend.place(
        part.runs.map { RowGroup(rows: part.rows(of: $0), adapter: $0.adapter) }),
      firstGroups: backend.place(
        part.runs.map { RowGroup(rows: $0.sequences, adapter: $0.adapter) })
    ) { number, _ throws(ComputeError) in try visit(number) }
    let single = SequenceLayout(lengths: repeatElement(1, count: states.rows))
    return try HeadPass(
      part: part, states: states, sequences: backend.place(single), backend: backend,
      space: space(for: part)
    ).pooled(.cls)
  }

  private func encoder(of engine: Engine) throws(ComputeError) -> UpperEncoder {
    if let encoder = encoders[ObjectIdentifier(engine)] { return encoder }
    let encoder = try UpperEncoder(
      base: engine.model, backend: backend, tokenBudget: tokenBudget)
    encoders[ObjectIdentifier(engine)] = encoder
    return encoder
  }

  private func space(for part: BatchPart) throws(ComputeError) -> Workspace {
    let need = HeadPass.workspaceBytes(for: part)
    if let space, space.byteCount >= need {
      space.reset()
      return space
    }
    space = nil
    let fresh = try Workspace(backend: backend, byteCount: need + need / 2)
    space = fresh
    return fresh
  }
}
