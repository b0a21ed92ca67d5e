import Compute
import Model

extension AdapterTraining {
  /// What the heads say of rows of some vBERTs: of each of `list`, for each of its rows, in order, the
  /// outputs (for tag: those of all its tokens).
  func outputs(_ list: [(vbert: Int, rows: Range<Int>)], of rows: TrainingRows) throws
    -> [[[Float]]]
  {
    // Rows of one vBERT that fit a batch are one part of it.
    var pieces: [(place: Int, rows: [Int])] = []
    for (place, item) in list.enumerated() {
      for rows in Batches.pack(Array(item.rows), lengths: rows.lengths, budget: tokenBudget) {
        pieces.append((place, rows))
      }
    }
    let sizes = pieces.map { $0.rows.reduce(0) { $0 + rows.lengths[$1] } }
    var outputs = [[[Float]]](repeating: [], count: list.count)
    for batch in Batches.pack(Array(pieces.indices), lengths: sizes, budget: tokenBudget) {
      var (numbers, parts): ([Int], [Part]) = ([], [])
      for piece in batch.map({ pieces[$0] }) {
        parts.append(
          Part(
            vbert: list[piece.place].vbert,
            sequences: numbers.count..<numbers.count + piece.rows.count))
        numbers += piece.rows
      }
      let values = try rows.withInput(of: numbers) { try logits($0, parts: parts) }
      for (piece, (part, values)) in zip(batch, zip(parts, values)) {
        let spec = specs[part.vbert]
        let columns = self.outputs(of: part.vbert)
        var first = 0
        for row in pieces[piece].rows {
          let count = (spec.task == .tag ? rows.lengths[row] : 1) * columns
          outputs[pieces[piece].place].append(Array(values[first..<first + count]))
          first += count
        }
      }
    }
    return outputs
  }
}
