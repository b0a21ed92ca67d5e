import Model

/// What some rows teach an embedder: their texts' vectors in, loss and gradient out.
struct EmbeddingBatch: Sendable {
  enum Kind: Sendable {
    case ranked(RankedBatch)
    case labelled([Int32])
    case scored([Double])
  }

  private let kind: Kind
  private let loss: EmbeddingLoss
  let hidden: Int
  /// How many of the first values are compared, one size after another.
  private let dimensions: [Int]

  /// Most texts that a step compares: their cosines take 16 bytes a pair of texts.
  static let mostTexts = 2048

  /// `loss`: nil for what suits the rows; `dimensions`: empty for all values alone.
  init(
    _ examples: Examples, rows: [Int], loss: EmbeddingLoss?, dimensions: [Int], hidden: Int,
    scores: ScoreRange?
  ) {
    let comparison = examples.comparison ?? .pairs
    let kind: Kind
    switch comparison {
    case .pairs, .triplets:
      kind = .ranked(RankedBatch(examples, rows: rows))
    case .labels:
      kind = .labelled(
        rows.map { row in
          if case .label(let label) = examples.targets[row] { return label }
          return -1
        })
    case .scores:
      kind = .scored(
        rows.map { row in
          guard case .score(let score) = examples.targets[row] else { return 0 }
          return scores?.cosine(of: Double(score)) ?? Double(score)
        })
    }
    self.init(
      kind, loss: loss ?? .standard(for: comparison), dimensions: dimensions, hidden: hidden)
  }

  init(_ kind: Kind, loss: EmbeddingLoss, dimensions: [Int], hidden: Int) {
    (self.kind, self.loss, self.hidden) = (kind, loss, hidden)
    self.dimensions = dimensions.isEmpty ? [hidden] : dimensions
  }

  /// `features` [texts, hidden] as they are pooled; the mean over all sizes. O(texts^2 * hidden).
  func callAsFunction(_ features: [Float]) -> (loss: Double, gradient: [Float]) {
    var total = 0.0
    var gradient = [Float](repeating: 0, count: features.count)
    let share = 1 / Double(dimensions.count)
    for size in dimensions {
      let cosines = Cosines(features, hidden: hidden, dimensions: size)
      let loss = self.loss(cosines)
      total += share * loss.value
      cosines.backward(loss.gradient, share: share, to: &gradient)
    }
    return (total, gradient)
  }

  /// Of whole vectors, without a gradient.
  func loss(of features: [Float]) -> Double {
    loss(Cosines(features, hidden: hidden, dimensions: hidden)).value
  }

  private func loss(_ cosines: Cosines) -> CosineLoss {
    switch kind {
    case .ranked(let batch): loss.loss(cosines, of: batch)
    case .labelled(let labels): loss.loss(cosines, labels: labels)
    case .scored(let wanted): loss.loss(cosines, wanted: wanted)
    }
  }
}
