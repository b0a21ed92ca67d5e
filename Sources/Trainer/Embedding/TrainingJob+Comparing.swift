import Model

extension TrainingJob {
  /// What an embedder learns from the rows of a step; nil for others.
  func comparing(_ rows: [Int], hidden: Int) -> EmbeddingBatch? {
    guard spec.task == .embed else { return nil }
    return EmbeddingBatch(
      train, rows: rows, loss: options.loss, dimensions: spec.dimensions ?? [], hidden: hidden,
      scores: spec.scores)
  }
}

extension EmbeddingBatch {
  /// The same for texts that run in parts, of so many texts each: the gradient of all their `vectors`,
  /// cut. The first part tells the loss.
  func targets(_ vectors: [Float], parts: [Int]) -> [AdapterTraining.Targets] {
    let (loss, gradient) = self(vectors)
    var (targets, first): ([AdapterTraining.Targets], Int) = ([], 0)
    for count in parts {
      let end = first + count * hidden
      let slice = Array(gradient[first..<end])
      let told = first == 0 ? loss : 0
      targets.append(.vectors { _ in (told, slice) })
      first = end
    }
    return targets
  }
}

extension Examples {
  /// The class of each row, where an embedder learns from labels.
  var classes: [Int32]? { comparison == .labels ? labelClasses : nil }
}
