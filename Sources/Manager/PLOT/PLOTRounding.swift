internal import Compute
package import Model

/// What storing rows in a format costs: the same texts through the same layers, once with fp32 rows
/// and once with rounded ones.
package struct PLOTRounding: Sendable {
  package let type: PLOTRowType
  /// Token states after the merge and the second tables, where the upper layers begin.
  package private(set) var entering = RoundingError()
  /// Final states.
  package private(set) var final = RoundingError()
  /// Mean-pooled final states.
  package private(set) var embeddings = RoundingError()

  /// No batch may be longer than the encoder's budget. Throws `ComputeError`, `PLOTError` and what
  /// the computer throws.
  package init(
    type: PLOTRowType, batches: [PackedBatch], computer: any NGramComputer, encoder: UpperEncoder
  ) throws {
    self.type = type
    let configuration = encoder.base.configuration
    let hidden = configuration.hiddenSize
    let store = try PLOTStore(
      directory: nil, baseHash: "", hidden: hidden, skipDepth: configuration.skipDepth,
      cacheBytes: 0, type: type)
    let lookup = NGramLookup(store: store, computer: computer)
    for batch in batches {
      let exact = try PLOTRounding.states(
        batch, try lookup.rows(for: batch.grams, mode: .off), encoder)
      let rounded = try PLOTRounding.states(
        batch, try lookup.rows(for: batch.grams, mode: .exact), encoder)
      for row in 0..<batch.layout.rows {
        let range = row * hidden..<(row + 1) * hidden
        entering.add(exact.entering[range], rounded.entering[range])
        final.add(exact.final[range], rounded.final[range])
      }
      for i in 0..<batch.layout.count {
        let rows = batch.layout.rows(of: i)
        embeddings.add(
          PLOTRounding.mean(exact.final, rows, hidden),
          PLOTRounding.mean(rounded.final, rows, hidden))
      }
    }
  }

  private static func states(
    _ batch: PackedBatch, _ rows: PLOTRows, _ encoder: UpperEncoder
  ) throws(ComputeError) -> (entering: [Float], final: [Float]) {
    defer { withExtendedLifetime(rows) {} }
    let count = batch.layout.rows * encoder.base.configuration.hiddenSize
    var entering = [Float](repeating: 0, count: count)
    var final = entering
    _ = try encoder.states(
      of: batch, rows: rows.rows, sequences: try encoder.backend.place(batch.layout)
    ) { number, state throws(ComputeError) in
      try unsafe final.withUnsafeMutableBufferPointer { values throws(ComputeError) in
        try unsafe encoder.backend.download(state, into: values)
      }
      if number == 0 { entering = final }
    }
    return (entering, final)
  }

  private static func mean(_ states: [Float], _ rows: Range<Int>, _ hidden: Int) -> [Float] {
    var sum = [Float](repeating: 0, count: hidden)
    for row in rows { for i in 0..<hidden { sum[i] += states[row * hidden + i] } }
    return sum.map { $0 / Float(rows.count) }
  }
}
