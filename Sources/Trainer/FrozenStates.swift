package import Compute
package import Model

/// Token sequences' states at the point where training begins, which no step changes: computed once
/// a job and kept, so far as `byteLimit` allows; what does not fit is computed again when asked for.
package final class FrozenStates {
  private let sequences: [TokenSequence]
  private let entry: Entry
  private let base: AdapterTraining
  private let memory: DeviceBuffer?
  private let table: Tensor
  /// First row in `table` of each kept sequence; sequences beyond are not kept.
  private var firstRows: [Int] = []

  /// `progress` hears how many sequences are done.
  package init(
    _ sequences: [TokenSequence], entry: Entry, training base: AdapterTraining, byteLimit: Int,
    progress: (Int) -> Void = { _ in }
  ) throws {
    self.sequences = sequences
    self.entry = entry
    self.base = base
    let hidden = base.configuration.hiddenSize
    let type = base.backend.activationType
    var rows = 0
    for sequence in sequences {
      guard (rows + sequence.count) * hidden * type.byteCount <= byteLimit else { break }
      firstRows.append(rows)
      rows += sequence.count
    }
    let memory = try base.backend.allocate(byteCount: rows * hidden * type.byteCount)
    table = Tensor(address: memory.address, rows: rows, columns: hidden, type: type)
    self.memory = consume memory
    var done = 0
    let kept = sequences.prefix(firstRows.count).map(\.count)
    for batch in Batches.pack(Array(kept.indices), lengths: kept, budget: base.tokenBudget) {
      guard let first = batch.first else { continue }
      let mark = base.workspace.mark
      let x = try compute(batch)
      try base.backend.gatherSum(
        x, indices: Array(0..<Int32(x.rows)), terms: 1,
        into: table.rows(firstRows[first]..<firstRows[first] + x.rows))
      base.workspace.reset(to: mark)
      done += batch.count
      progress(done)
    }
  }

  /// Calls `body` with the states of some sequences, packed in that order, which `body` may
  /// overwrite, and their layout.
  package func withStates<Result>(
    of batch: [Int], _ body: (Tensor, SequenceLayout) throws -> Result
  ) throws -> Result {
    let mark = base.workspace.mark
    defer { base.workspace.reset(to: mark) }
    let layout = SequenceLayout(lengths: batch.map { sequences[$0].count })
    return try body(try states(of: batch), layout)
  }

  private func states(of batch: [Int]) throws -> Tensor {
    guard batch.allSatisfy({ $0 < firstRows.count }) else { return try compute(batch) }
    var rows: [Int32] = []
    for number in batch {
      let first = Int32(firstRows[number])
      rows += first..<first + Int32(sequences[number].count)
    }
    let x = base.workspace.take(
      rows: rows.count, columns: table.columns, type: table.type)
    try base.backend.gatherSum(table, indices: rows, terms: 1, into: x)
    return x
  }

  private func compute(_ batch: [Int]) throws -> Tensor {
    let packed = PackedBatch(sequences: batch.map { sequences[$0] })
    let x = base.workspace.take(
      rows: packed.layout.rows, columns: table.columns, type: table.type)
    let placed = try base.backend.place(packed.layout)
    try entry.enter(packed, sequences: placed, into: x)
    let run = TrainingRun(
      backend: base.backend, sequences: placed, heads: base.configuration.headCount,
      workspace: base.workspace, dropout: .none)
    return try base.encoder.advance(x, run)
  }
}

/// How sequences are grouped.
enum Batches {
  /// Cuts `numbers`, in order, where a batch would exceed `budget` tokens; never empty batches.
  static func pack(_ numbers: [Int], lengths: [Int], budget: Int) -> [[Int]] {
    var (batches, tokens): ([[Int]], Int) = ([], 0)
    for number in numbers {
      let length = lengths[number]
      if batches.isEmpty || tokens + length > budget {
        batches.append([])
        tokens = 0
      }
      batches[batches.count - 1].append(number)
      tokens += length
    }
    return batches
  }
}
