import Compute
import Model

/// Rows as they enter training: their states where training begins, or where the base is trained too,
/// their tokens.
final class TrainingRows {
  private let sequences: [TokenSequence]
  /// nil where nothing is frozen.
  private let states: FrozenStates?
  let lengths: [Int]

  /// Computes the states, and keeps as many as `byteLimit` allows. `progress` hears how many are done.
  init(
    _ sequences: [TokenSequence], entry: Entry, training: AdapterTraining, byteLimit: Int,
    progress: (Int) -> Void = { _ in }
  ) throws {
    self.sequences = sequences
    lengths = sequences.map(\.count)
    states =
      training.trainsBase
      ? nil
      : try FrozenStates(
        sequences, entry: entry, training: training, byteLimit: byteLimit, progress: progress)
  }

  func withInput<Result>(
    of rows: [Int], _ body: (AdapterTraining.Input) throws -> Result
  ) throws -> Result {
    guard let states else {
      return try body(.tokens(PackedBatch(sequences: rows.map { sequences[$0] })))
    }
    return try states.withStates(of: rows) { x, layout in try body(.states(x, layout)) }
  }
}
