package import Model

extension TrainingOptions {
  /// Throws unless they suit the vBERT and its rows.
  func check(for spec: VBertSpec, _ data: TrainingData) throws(EmbeddingOptionProblem) {
    guard let comparison = data.comparison else {
      if loss != nil { throw .notAnEmbedder("loss", spec.task) }
      if !dimensions.isEmpty { throw .notAnEmbedder("dimensions", spec.task) }
      return
    }
    // It has no head, and no classes.
    for (option, isSaid) in [
      ("head-rate", headRate != nil), ("dropout", dropout != TrainingOptions().dropout),
      ("class-weights", classWeights != .none),
    ] where isSaid { throw .ofHeads(option) }
    if let loss, !EmbeddingLoss.suiting(comparison).contains(loss) {
      throw .loss(loss, comparison)
    }
    guard batch * data.widestRow <= EmbeddingBatch.mostTexts else {
      throw .batch(batch, texts: data.widestRow)
    }
    if comparison != .scores, batch < 2 { throw .oneRow }
  }

  /// Sizes that an embedder of so many values is trained for, all of them among these, the largest first;
  /// `before`: those of its last version. nil: nobody chose any.
  func dimensions(before: [Int]?, hidden: Int) throws(EmbeddingOptionProblem) -> [Int]? {
    guard !dimensions.isEmpty else { return before }
    for size in dimensions {
      guard 1...hidden ~= size else { throw .dimensions(size, hidden: hidden) }
    }
    guard dimensions.count <= Self.mostSizes else { throw .sizes(dimensions.count) }
    return Set(dimensions + [hidden]).sorted(by: >)
  }

  /// A step compares its texts once a size.
  static let mostSizes = 16
}

/// An option of an embedder's training that does not suit it.
package enum EmbeddingOptionProblem: Error, Equatable, CustomStringConvertible {
  case notAnEmbedder(String, VBertTask)
  /// What an embedder has nothing for.
  case ofHeads(String)
  case loss(EmbeddingLoss, Comparison)
  case batch(Int, texts: Int)
  case oneRow
  case dimensions(Int, hidden: Int)
  case sizes(Int)

  package var description: String {
    switch self {
    case .notAnEmbedder(let option, let task):
      "--\(option) is for embedding models; this vBERT's task is \(task.rawValue)"
    case .ofHeads(let option):
      "--\(option) is for vBERTs with a head; an embedder has none: leave it out"
    case .loss(let loss, let comparison):
      "--loss \(loss.rawValue) does not suit rows of the form \(comparison.members); use "
        + EmbeddingLoss.suiting(comparison).map(\.rawValue).joined(separator: " or ")
    case .batch(let batch, let texts):
      "--batch \(batch) with up to \(texts) texts a row is more than a step compares, "
        + "\(EmbeddingBatch.mostTexts) texts; use --batch \(max(1, EmbeddingBatch.mostTexts / texts)) or less"
    case .oneRow: "an embedder learns by comparing the rows of a step; use --batch 2 or more"
    case .dimensions(let size, let hidden):
      "--dimensions \(size) is not possible; this base's vectors have 1 to \(hidden)"
    case .sizes(let count):
      "--dimensions names \(count) sizes; at most \(TrainingOptions.mostSizes) are possible"
    }
  }
}
