import Compute
import Model

extension AdapterTraining {
  /// The losses of embedders' vectors, the pooled states, which the host computes; and if it is wanted
  /// the gradient at the token states.
  func backward(
    vectors heads: Heads, _ parts: [Part], _ run: TrainingRun, wantsInput: Bool
  ) throws(ComputeError) -> Tensor? {
    let features = heads.features
    let d = run.takeFloats(features.rows, features.columns)
    for (i, part) in parts.enumerated() {
      guard case .vectors(let compare) = part.targets else {
        preconditionFailure("an embedder learns from vectors")
      }
      let (loss, gradient) = compare(try backend.download(heads.logits[i]))
      try backend.upload(gradient, to: d.rows(heads.rows[i]))
      try backend.add(part.share * loss, to: self.loss(of: part.vbert))
    }
    return wantsInput ? try poolBackward(d, heads, run) : nil
  }

  /// The vectors of one embedder's sequences, piece by piece, with what it drops of each: what a batch
  /// compares that does not run at once.
  func vectors(
    of vbert: Int, pieces: [(sequences: [Int], dropout: Dropout)], in rows: TrainingRows
  ) throws -> [Float] {
    try pieces.flatMap { piece in
      let part = Part(
        vbert: vbert, sequences: 0..<piece.sequences.count, dropout: piece.dropout)
      return try rows.withInput(of: piece.sequences) { try logits($0, parts: [part])[0] }
    }
  }

  /// Numbers that an embedder's vector has, or that a head says of a row or a token.
  func outputs(of vbert: Int) -> Int {
    let spec = specs[vbert]
    return spec.task == .embed
      ? configuration.hiddenSize : spec.task.outputs(labels: spec.labels.count)
  }
}
