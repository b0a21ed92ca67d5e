internal import Foundation

/// What training an embedder lowers.
package enum EmbeddingLoss: String, Sendable, CaseIterable {
  /// Cross-entropy of the positive among all that the batch holds, from both sides, of 20 * cosine
  /// (multiple negatives ranking).
  case ranking
  /// Of a text's softmax over all others the share of its fellows, whichever (neighbourhood components,
  /// Goldberger et al. 2004): what is near need not all become one, so that more is left for what was never seen.
  case neighbours
  /// Supervised contrastive: `ContrastiveLoss`.
  case contrastive
  /// The least near of what should be near, nearer by a margin than the nearest of what should not.
  case margin
  /// Squared error of the cosine.
  case cosine
  /// Of two pairs the one with the higher score should have the higher cosine (CoSENT).
  case cosent

  /// What suits rows of this kind, the default first.
  package static func suiting(_ comparison: Comparison) -> [EmbeddingLoss] {
    switch comparison {
    case .pairs, .triplets: [.ranking, .margin]
    case .labels: [.neighbours, .contrastive, .margin]
    case .scores: [.cosine, .cosent]
    }
  }

  package static func standard(for comparison: Comparison) -> EmbeddingLoss {
    suiting(comparison)[0]
  }

  static let scale = 20.0
  /// Of cosines.
  static let gap = 0.2
}

extension EmbeddingLoss {
  func loss(_ cosines: Cosines, of batch: RankedBatch) -> CosineLoss {
    var loss = CosineLoss(count: cosines.count)
    let share = 1 / Double(max(1, batch.rows.count))
    for row in batch.rows {
      guard self == .ranking else {
        let negatives = batch.farFromAnchor(row, all: row.negatives.isEmpty)
        loss.addMargin(
          cosines, from: row.anchor, near: [row.positive], far: negatives, share: share)
        continue
      }
      loss.addNearness(
        cosines, from: row.anchor, near: [row.positive],
        far: batch.farFromAnchor(row, all: true), share: share / 2)
      loss.addNearness(
        cosines, from: row.positive, near: [row.anchor], far: batch.farFromPositive(row),
        share: share / 2)
    }
    return loss
  }

  func loss(_ cosines: Cosines, labels: [Int32]) -> CosineLoss {
    if self == .contrastive {
      // Softer than ranking: few rows learn more so (docs/accuracy.md).
      return ContrastiveLoss(scale: Self.scale / 2).loss(cosines, labels: labels)
    }
    var loss = CosineLoss(count: cosines.count)
    let near = labels.indices.map { i in
      labels.indices.filter { $0 != i && labels[$0] == labels[i] }
    }
    let far = labels.indices.map { i in labels.indices.filter { labels[$0] != labels[i] } }
    let anchors = labels.indices.filter { !near[$0].isEmpty && !far[$0].isEmpty }
    let share = 1 / Double(max(1, anchors.count))
    for i in anchors {
      if self == .margin {
        loss.addMargin(cosines, from: i, near: near[i], far: far[i], share: share)
      } else {
        loss.addNearness(cosines, from: i, near: near[i], far: far[i], share: share)
      }
    }
    return loss
  }

  /// Of each two neighbours the cosine that they should have.
  func loss(_ cosines: Cosines, wanted: [Double]) -> CosineLoss {
    let found = wanted.indices.map { cosines(2 * $0, 2 * $0 + 1) }
    var loss = CosineLoss(count: cosines.count)
    var gradient = [Double](repeating: 0, count: wanted.count)
    if self == .cosine {
      let share = 1 / Double(max(1, wanted.count))
      for i in wanted.indices {
        loss.value += share * (found[i] - wanted[i]) * (found[i] - wanted[i])
        gradient[i] = 2 * share * (found[i] - wanted[i])
      }
    } else {
      // log(1 + sum of exp(scale * (lower's cosine - higher's))).
      var pairs: [(high: Int, low: Int)] = []
      for i in wanted.indices {
        for j in wanted.indices where wanted[i] > wanted[j] { pairs.append((i, j)) }
      }
      let softmax = Softmax([0] + pairs.map { Self.scale * (found[$0.low] - found[$0.high]) })
      loss.value = softmax.logSum
      for (pair, probability) in zip(pairs, softmax.probabilities.dropFirst()) {
        gradient[pair.low] += Self.scale * probability
        gradient[pair.high] -= Self.scale * probability
      }
    }
    for i in wanted.indices { loss.gradient[2 * i * cosines.count + 2 * i + 1] = gradient[i] }
    return loss
  }
}

extension CosineLoss {
  /// share * -log of the share of `near` in the softmax over these and all of `far`.
  fileprivate mutating func addNearness(
    _ cosines: Cosines, from i: Int, near: [Int], far: [Int], share: Double
  ) {
    let scale = EmbeddingLoss.scale
    let all = near + far
    let softmax = Softmax(all.map { scale * cosines(i, $0) })
    let within = Softmax(near.map { scale * cosines(i, $0) })
    value += share * (softmax.logSum - within.logSum)
    for (j, probability) in zip(all, softmax.probabilities) {
      gradient[i * cosines.count + j] += share * scale * probability
    }
    for (j, probability) in zip(near, within.probabilities) {
      gradient[i * cosines.count + j] -= share * scale * probability
    }
  }

  /// share * max(0, gap - least cosine of `near` + greatest of `far`).
  fileprivate mutating func addMargin(
    _ cosines: Cosines, from i: Int, near: [Int], far: [Int], share: Double
  ) {
    guard let least = near.min(by: { cosines(i, $0) < cosines(i, $1) }),
      let most = far.max(by: { cosines(i, $0) < cosines(i, $1) })
    else { return }
    let excess = EmbeddingLoss.gap - cosines(i, least) + cosines(i, most)
    // A cosine that is no number must be heard of.
    guard !(excess <= 0) else { return }
    value += share * excess
    gradient[i * cosines.count + most] += share
    gradient[i * cosines.count + least] -= share
  }
}
