package import Model

/// What a trainer says of files and wishes before anything waits for its turn.
package protocol TrainingRules: Sendable {
  /// Looks at every row of a file. Throws what is wrong with its rows, and what the disk says.
  func report(rows path: String) throws -> RowsReport

  /// Whether that is wrong with the rows, and may be told to who brought them.
  func isProblemOfRows(_ error: any Error) -> Bool

  /// Throws why such a vBERT cannot learn so from such rows, in words for who asks.
  func check(_ wish: FineTuningWish, _ spec: VBertSpec, _ rows: RowsReport) throws
}
